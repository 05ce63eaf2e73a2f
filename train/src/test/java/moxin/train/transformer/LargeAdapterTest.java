package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.torch.Device;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.adapter.AdapterMemory;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// A real step of an adapter on the 8.1B shape in NF4: minutes of time and 9 GB of memory, so only
/// where `-Dmoxin.test.large=true` asks for it. `-Dmoxin.test.length` sets the row's length.
@EnabledIfSystemProperty(named = "moxin.test.large", matches = "true")
@EnabledOnOs(OS.LINUX)
class LargeAdapterTest {

  @Test
  void theProcessNeedsTheMemoryThatIsForetold() throws IOException {
    int length = Integer.getInteger("moxin.test.length", 16);
    ModelConfig config = AdapterMemoryTest.moxin7b();
    AdapterSettings settings = new AdapterSettings(16, 32, EnumSet.allOf(AdapterTarget.class));
    LearnerOptions options =
        new LearnerOptions(
            DType.BF16,
            Device.CPU,
            Runtime.getRuntime().availableProcessors(),
            ActivationMemory.RECOMPUTE);
    int[] ids = new SplittableRandom(1).ints(length, 0, config.vocabSize()).toArray();
    int[] targets = new SplittableRandom(2).ints(length, 0, config.vocabSize()).toArray();
    Batch batch = new Batch(1, length, ids, targets, new int[length]);
    long begin = System.nanoTime();
    try (Arena arena = Arena.ofShared();
        AdapterLearner learner =
            AdapterLearner.create(
                config,
                base(config, arena),
                settings,
                FrozenWeights.NF4,
                options,
                1,
                Progress.silent())) {
      AdapterMemory foretold = learner.memory(1, length);
      System.Logger log = System.getLogger(LargeAdapterTest.class.getName());
      log.log(System.Logger.Level.INFO, "quantised after " + seconds(begin) + " s");
      double first = learner.accumulate(batch, 1.0 / length);
      log.log(System.Logger.Level.INFO, "gradients after " + seconds(begin) + " s");
      learner.step(new AdamW(0.9, 0.95, 1e-8, 0, false, false, 1), 1e-3);
      double second = learner.evaluate(batch);
      log.log(System.Logger.Level.INFO, "evaluated after " + seconds(begin) + " s");
      log.log(System.Logger.Level.INFO, "foretold " + foretold);
      long peak = peakBytes();
      log.log(
          System.Logger.Level.INFO,
          "peak of the process %.2f GiB, losses %f and %f"
              .formatted(peak / (double) (1 << 30), first / length, second / length));
      assertThat(second).isLessThan(first);
      assertThat(peak).isGreaterThan(foretold.total()).isLessThan(24_000_000_000L);
      assertThat(peak - foretold.total()).as("Java and the source").isLessThan(3_000_000_000L);
    }
  }

  private static double seconds(long begin) {
    return Math.round((System.nanoTime() - begin) / 1e8) / 10.0;
  }

  /// Every weight as a part of the same random numbers, so that the source is small.
  private static MemoryCheckpoint base(ModelConfig config, Arena arena) {
    long largest = (long) config.vocabSize() * config.hiddenSize();
    MemorySegment numbers = arena.allocate(2 * largest, 64);
    SplittableRandom random = new SplittableRandom(1);
    for (long i = 0; i < largest; i++) {
      // The sum of three uniform numbers is near enough to a normal one.
      double sum = random.nextDouble() + random.nextDouble() + random.nextDouble() - 1.5;
      numbers.setAtIndex(ValueLayout.JAVA_SHORT, i, Precision.floatToBf16((float) (0.04 * sum)));
    }
    MemorySegment ones = arena.allocate(2L * config.hiddenSize());
    for (int i = 0; i < config.hiddenSize(); i++) {
      ones.setAtIndex(ValueLayout.JAVA_SHORT, i, Precision.floatToBf16(1));
    }
    List<TensorView> views = new ArrayList<>();
    WeightNames.shapes(config)
        .forEach(
            (name, shape) -> {
              long elements = shape.stream().reduce(1L, Math::multiplyExact);
              MemorySegment data = shape.size() == 1 ? ones : numbers.asSlice(0, 2 * elements);
              views.add(new TensorView(name, DType.BF16, shape, data));
            });
    return MemoryCheckpoint.of("random numbers", views);
  }

  private static long peakBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("/proc/self/status has no VmHWM");
  }
}
