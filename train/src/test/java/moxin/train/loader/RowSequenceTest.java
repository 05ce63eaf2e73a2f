package moxin.train.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import moxin.job.BadInputException;
import moxin.testing.Seeded;
import moxin.text.shard.TokenShardWriter;
import moxin.train.Batch;
import moxin.train.recipe.Exhausted;
import moxin.train.recipe.Packing;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What row sequences say without reading is what loaders read, wherever one begins.
@Seeded
final class RowSequenceTest {
  private static final int VOCAB = 1 << 16;
  private static final int ROWS = 3;

  @TempDir private Path directory = Path.of("");
  private List<TokenSource> sources = List.of();

  /// Every token of every document of both sources has an id of its own.
  @BeforeEach
  void writeShards(Random random) throws IOException {
    int next = 1;
    List<TokenSource> opened = new ArrayList<>();
    for (int documents : new int[] {37, 8}) {
      Path file = directory.resolve("s" + documents + ".npy");
      try (TokenShardWriter writer = TokenShardWriter.create(file, VOCAB, "")) {
        for (int i = 0; i < documents; i++) {
          int[] ids = new int[random.nextInt(5) == 0 ? 0 : 1 + random.nextInt(90)];
          for (int j = 0; j < ids.length; j++) {
            ids[j] = next++;
          }
          writer.add("d" + i, "test", "", ids);
        }
        writer.add("last", "test", "", new int[] {next++, next++});
        writer.commit();
      }
      opened.add(TokenSource.open("s" + documents, file, VOCAB));
    }
    sources = opened;
  }

  @AfterEach
  void closeShards() {
    sources.forEach(TokenSource::close);
  }

  private static List<Phase> phases() {
    List<Phase> phases = new ArrayList<>();
    for (int length : new int[] {1, 7, 33}) {
      for (boolean shuffle : new boolean[] {true, false}) {
        phases.add(phase(Packing.DOCUMENTS, length, shuffle, source(3.0, null), source(1.0, null)));
        phases.add(
            phase(Packing.CONTIGUOUS, length, shuffle, source(null, null), source(null, null)));
      }
    }
    return phases;
  }

  @Test
  void theStateAfterAnyRowGivesTheSameRowsAgainOnAnyNumberOfThreads(Random random)
      throws InterruptedException {
    for (Phase phase : phases()) {
      Loader whole = Loader.open(phase, sources, 7, Optional.empty());
      RowSequence sequence = RowSequence.of(phase, sources, 7);
      List<Loader.Loaded> expected = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        expected.add(whole.next());
        assertThat(sequence.stateAfter((i + 1L) * ROWS)).isEqualTo(expected.getLast().state());
      }
      int cut = random.nextInt(30);
      for (int threads : new int[] {1, 2, 5}) {
        Optional<LoaderState> state = Optional.of(expected.get(cut).state());
        try (Prefetch again = new Prefetch(Loader.open(phase, sources, 7, state), threads)) {
          for (int i = cut + 1; i < 40; i++) {
            Loader.Loaded loaded = again.next();
            assertThat(loaded.batch().ids()).isEqualTo(expected.get(i).batch().ids());
            assertThat(loaded.batch().targets()).isEqualTo(expected.get(i).batch().targets());
            assertThat(loaded.batch().segments()).isEqualTo(expected.get(i).batch().segments());
            assertThat(loaded.state()).isEqualTo(expected.get(i).state());
          }
        }
      }
    }
  }

  @Test
  void partsAreTheTokensThatLoadersRead() {
    for (Phase phase : phases()) {
      int length = phase.contextLength();
      Loader loader = Loader.open(phase, sources, 5, Optional.empty());
      RowSequence sequence = RowSequence.of(phase, sources, 5);
      for (int i = 0; i < 30; i++) {
        Batch batch = loader.next().batch();
        for (int row = 0; row < ROWS; row++) {
          List<Integer> said = new ArrayList<>();
          for (RowSequence.Part part : sequence.parts((long) i * ROWS + row)) {
            TokenSource source = sources.get(part.source());
            int[] ids = new int[part.length()];
            source.copy(source.documentOffset(part.document()) + part.offset(), ids, 0, ids.length);
            int at = row * length + part.position();
            for (int j = 0; j < ids.length; j++) {
              boolean input = part.position() + j < length;
              boolean same = input && batch.ids()[at + j] == ids[j];
              // The token after the last input is read as its target.
              boolean target = !same && batch.targets()[at + j - 1] == ids[j];
              assertThat(same || target).as("%s", part).isTrue();
              if (same) {
                said.add(ids[j]);
              }
            }
          }
          List<Integer> read = new ArrayList<>();
          for (int j = 0; j < length; j++) {
            if (batch.ids()[row * length + j] != 0) {
              read.add(batch.ids()[row * length + j]);
            }
          }
          assertThat(said).isEqualTo(read);
        }
      }
    }
  }

  @Test
  void rowsWithADocumentAreAllThatHoldIt() {
    for (Phase phase : phases()) {
      RowSequence sequence = RowSequence.of(phase, sources, 5);
      long rows = 200;
      for (int source = 0; source < sources.size(); source++) {
        for (long document = 0; document < sources.get(source).documentCount(); document += 5) {
          int from = source;
          long wanted = document;
          long[] expected =
              LongStream.range(0, rows)
                  .filter(
                      row ->
                          sequence.parts(row).stream()
                              .anyMatch(part -> part.source() == from && part.document() == wanted))
                  .toArray();
          assertThat(sequence.rowsWith(source, document, rows))
              .as("document %d of source %d, %s", document, source, phase)
              .containsExactly(LongStream.of(expected).boxed().toArray(Long[]::new));
        }
      }
    }
  }

  @Test
  void aSourceStopsAtItsBudgetAndTheOtherGoesOn() {
    Source limited = new Source("a", null, 1.0, null, 33L * 10 + 5, null);
    Phase phase = phase(Packing.CONTIGUOUS, 33, true, limited, source(1.0, null));
    RowSequence sequence = RowSequence.of(phase, sources, 1);
    assertThat(sequence.available()).isEqualTo(Long.MAX_VALUE);
    List<RowSequence.Usage> usage = sequence.usageAfter(100);
    assertThat(usage.get(0).rows()).isEqualTo(10);
    assertThat(usage.get(1).rows()).isEqualTo(90);
    assertThat(usage.get(0).share()).isEqualTo(0.5);
  }

  @Test
  void whenAllAreDroppedOrOneStopsThePhaseEnds() {
    Phase dropped =
        phase(
            Packing.DOCUMENTS, 13, true, source(1.0, Exhausted.DROP), source(1.0, Exhausted.DROP));
    long epoch = Loader.rowsPerEpoch(dropped, sources);
    assertThat(RowSequence.of(dropped, sources, 1).available()).isEqualTo(epoch);
    Loader loader = Loader.open(dropped, sources, 1, Optional.empty());
    for (long batch = 0; batch < epoch / ROWS; batch++) {
      loader.next();
    }
    assertThatThrownBy(loader::next)
        .isInstanceOf(BadInputException.class)
        .hasMessage("phase pretrain: its sources are exhausted before its last step");

    Phase stopped =
        phase(
            Packing.DOCUMENTS,
            13,
            true,
            source(1.0, Exhausted.REPEAT),
            new Source("b", null, 1.0, 2.0, null, Exhausted.STOP));
    RowSequence sequence = RowSequence.of(stopped, sources, 1);
    List<RowSequence.Usage> usage = sequence.usageAfter(sequence.available());
    assertThat(usage.get(1).passes()).isEqualTo(2.0);
    assertThat(usage.get(0).rows()).isCloseTo(usage.get(1).rows(), within(1L));
    assertThat(sequence.parts(sequence.available() - 1)).isNotEmpty();
  }

  @Test
  void aBudgetOfLessThanARowIsRefused() {
    Source little = new Source("a", null, null, null, 32L, null);
    assertThatThrownBy(
            () ->
                RowSequence.of(
                    phase(Packing.DOCUMENTS, 33, true, little, source(null, null)), sources, 1))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("source a: maxEpochs and maxTokens leave less than one row");
    assertThatThrownBy(() -> new Source("a", null, null, 2.0, null, Exhausted.REPEAT))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Source source(@Nullable Double weight, @Nullable Exhausted whenExhausted) {
    return new Source("s", null, weight, null, null, whenExhausted);
  }

  private static Phase phase(Packing packing, int length, boolean shuffle, Source... sources) {
    return new Phase(
        null,
        null,
        1L,
        null,
        null,
        length,
        ROWS,
        null,
        null,
        null,
        List.of(sources),
        packing,
        null,
        shuffle);
  }
}
