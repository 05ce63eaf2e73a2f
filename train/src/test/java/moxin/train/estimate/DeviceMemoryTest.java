package moxin.train.estimate;

import static org.assertj.core.api.Assertions.assertThat;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.recipe.Activations;
import org.junit.jupiter.api.Test;

/// Moxin-7B against figures worked out by hand.
final class DeviceMemoryTest {
  private static final ModelConfig MOXIN = ModelConfig.moxin7b();
  private static final long P = 8_114_180_096L;
  private static final Placement ONE = Placement.onGpu(DType.BF16, Activations.RECOMPUTE);

  @Test
  void operationsPerTokenAreSixAWeightAndAttention() {
    ModelFlops at2k = ModelFlops.perToken(MOXIN, 2048);
    assertThat(at2k.weights()).isEqualTo(48_685_080_576.0);
    assertThat(at2k.attention()).isEqualTo(3_623_878_656.0);
    assertThat(ModelFlops.perToken(MOXIN, 4096).attention()).isEqualTo(7_247_757_312.0);
    assertThat(ModelFlops.perToken(MOXIN, 32768).attention())
        .as("a position sees a window of 4096")
        .isEqualTo(7_247_757_312.0);
  }

  @Test
  void oneRowOf4096OnOneDevice() {
    DeviceMemory memory = DeviceMemory.of(MOXIN, 1, 4096, ONE.withAttention(AttentionMemory.FUSED));
    assertThat(memory.weights()).isEqualTo(2 * P);
    assertThat(memory.masterWeights()).isEqualTo(4 * P);
    assertThat(memory.optimizer()).isEqualTo(8 * P);
    // fp32 sums, the bf16 gradient of the slice, and 4096 x 4096 of the embedding in fp32.
    assertThat(memory.gradients()).isEqualTo(6 * P + 67_108_864);
    // A block: 2 streams of 4·4096² and scales of 4·4096; in bf16 two norms (8192), attention's
    // result (4096) and gate and up (28672), then q, k and v (6144); 4·4096·32 for the sums.
    long block = 2 * (67_108_864 + 16_384) + 8192L * (40_960 + 6144) + 524_288;
    // Shared: projected (6144), three of C (12288), activated (14336), one of the queries (4096).
    long shared = 8192L * 36_864 + 2 * 67_108_864 + 16_384;
    assertThat(memory.activations()).isEqualTo(block + 35 * 67_108_864L + shared);
    assertThat(memory.activations()).isEqualTo(3_305_684_992L);
    // 1048 positions at a time in 2 bytes, and twice the embedding in fp32, which is more than four
    // fp32 copies of these logits.
    assertThat(memory.logits()).isEqualTo(1048L * 32_000 * 2 + 8 * 32_000L * 4096);
    assertThat(memory.total())
        .isEqualTo(20 * P + 67_108_864L + 3_305_684_992L + 67_072_000L + 1_048_576_000L);
  }

  @Test
  void everythingKeptIsABlockForEachLayer() {
    Placement fused = ONE.withAttention(AttentionMemory.FUSED);
    long recomputed = DeviceMemory.of(MOXIN, 1, 4096, fused).activations();
    long kept =
        DeviceMemory.of(MOXIN, 1, 4096, fused.withActivations(Activations.KEEP)).activations();
    long block = 520_650_752;
    assertThat(kept - recomputed).isEqualTo(35 * (block - 67_108_864L));
    long selective =
        DeviceMemory.of(MOXIN, 1, 4096, fused.withActivations(Activations.SELECTIVE)).activations();
    // Of 35 blocks two norms (8192) and gate and up (28672) are not kept.
    assertThat(kept - selective).isEqualTo(35 * 8192L * 36_864);
  }

  @Test
  void scoresAreOneMatrixForEachHeadAndSeveralOnTheWay() {
    long scores = 32L * 4096 * 4096;
    long fused =
        DeviceMemory.of(MOXIN, 1, 4096, ONE.withAttention(AttentionMemory.FUSED)).activations();
    assertThat(DeviceMemory.of(MOXIN, 1, 4096, ONE).activations())
        .isEqualTo(fused - 524_288 + 2 * scores + 20 * scores + 4 * 4096L * 4096);
  }

  @Test
  void zeroDividesMasterMomentsAndSumsThenKeepsTwoBlocksOfGradientsThenOfWeights() {
    // Eight rows on eight devices: one for each.
    long table = 32_000L * 4096;
    long own = P / 8;
    long embedded = 67_108_864;
    DeviceMemory none = DeviceMemory.of(MOXIN, 8, 4096, ONE.withDevices(8, 0));
    assertThat(none.weights()).isEqualTo(2 * P);
    assertThat(none.masterWeights()).isEqualTo(4 * P);
    assertThat(none.gradients()).isEqualTo(4 * P + 2 * (P - table) + embedded);
    DeviceMemory first = DeviceMemory.of(MOXIN, 8, 4096, ONE.withDevices(8, 1));
    assertThat(first.weights()).isEqualTo(2 * own + 2 * P);
    assertThat(first.masterWeights()).isEqualTo(4 * own);
    assertThat(first.optimizer()).isEqualTo(8 * own);
    assertThat(first.gradients()).isEqualTo(4 * own + 2 * (P - table) + embedded);
    DeviceMemory second = DeviceMemory.of(MOXIN, 8, 4096, ONE.withDevices(8, 2));
    assertThat(second.weights()).isEqualTo(first.weights());
    assertThat(second.gradients()).isEqualTo(4 * own + 2 * (2 * 218_112_000L + table) + embedded);
    DeviceMemory third = DeviceMemory.of(MOXIN, 8, 4096, ONE.withDevices(8, 3));
    assertThat(third.weights()).isEqualTo(2 * own + 2 * (2 * table + 2 * 218_112_000L));
    assertThat(third.gradients()).isEqualTo(second.gradients());
    assertThat(third.activations()).isEqualTo(DeviceMemory.of(MOXIN, 1, 4096, ONE).activations());
  }

  @Test
  void smallerMomentsTakeLess() {
    assertThat(DeviceMemory.of(MOXIN, 1, 64, ONE.withMoments(OptimizerStates.BF16)).optimizer())
        .isEqualTo(4 * P);
    assertThat(DeviceMemory.of(MOXIN, 1, 64, ONE.withMoments(OptimizerStates.INT8)).optimizer())
        .isEqualTo(2 * P + P / 256 * 8);
  }

  @Test
  void withoutMasterWeightsThereAreNoneAndOffloadedStatesAreTheHosts() {
    Placement none = ONE.withMaster(MasterWeights.NONE);
    assertThat(DeviceMemory.of(MOXIN, 1, 64, none).masterWeights()).isZero();
    assertThat(DeviceMemory.of(MOXIN, 1, 64, none).weights()).isEqualTo(2 * P);
    DeviceMemory offloaded = DeviceMemory.of(MOXIN, 1, 64, ONE.withPlace(OptimizerPlace.HOST));
    assertThat(offloaded.masterWeights() + offloaded.optimizer()).isZero();
    assertThat(offloaded.host()).isEqualTo(12 * P);
    Placement cpu = Placement.onCpu(DType.BF16, Activations.KEEP, 2);
    assertThat(cpu.withPlace(OptimizerPlace.HOST)).isEqualTo(cpu);
  }

  @Test
  void theModelTrainsOnOneDeviceOf139GiBAtItsFullLengthWithNarrowStatesAndNotWithFp32() {
    Machine h200 = new Machine(139.0 * (1 << 30), 989e12, 0.5, 3.0);
    for (AttentionMemory attention :
        new AttentionMemory[] {AttentionMemory.SCORES, AttentionMemory.FUSED}) {
      Placement placement = ONE.withAttention(attention);
      assertThat(h200.holds(DeviceMemory.of(MOXIN, 1, 4096, placement))).isFalse();
      DeviceMemory int8 =
          DeviceMemory.of(MOXIN, 1, 4096, placement.withMoments(OptimizerStates.INT8));
      assertThat(h200.holds(int8)).as("%s", int8).isTrue();
      DeviceMemory host = DeviceMemory.of(MOXIN, 1, 4096, placement.withPlace(OptimizerPlace.HOST));
      assertThat(h200.holds(host)).as("%s", host).isTrue();
    }
  }
}
