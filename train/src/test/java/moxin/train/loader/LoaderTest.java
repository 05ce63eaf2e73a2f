package moxin.train.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import moxin.job.BadInputException;
import moxin.testing.Seeded;
import moxin.text.shard.TokenShardWriter;
import moxin.train.Batch;
import moxin.train.recipe.Packing;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LoaderTest {
  private static final int VOCAB = 1000;

  @TempDir Path directory;

  @Test
  void permutationsAreBijections() {
    for (long size : new long[] {1, 2, 3, 7, 8, 13, 32, 33, 257, 1000}) {
      Permutation permutation = new Permutation(size, 42);
      Set<Long> seen = new HashSet<>();
      for (long i = 0; i < size; i++) {
        seen.add(permutation.at(i));
        assertThat(permutation.indexOf(permutation.at(i))).isEqualTo(i);
      }
      assertThat(seen).hasSize((int) size).allMatch(value -> value >= 0 && value < size);
    }
    assertThat(new Permutation(1000, 1).at(5)).isNotEqualTo(new Permutation(1000, 2).at(5));
  }

  @Test
  void documentsArePackedAndTargetsNeverCrossThem() throws IOException {
    write("a.npy", new int[] {1, 10, 11, 2}, new int[] {1, 20, 2}, new int[] {1, 30, 31, 32, 2});
    try (TokenSource source = open("a.npy")) {
      Loader loader = loader(phase(5, 2, Packing.DOCUMENTS, false, null), source);
      Batch first = loader.next().batch();
      assertThat(first.ids()).containsExactly(1, 10, 11, 2, 1, 20, 2, 1, 30, 31);
      int no = Batch.IGNORED;
      assertThat(first.targets()).containsExactly(10, 11, 2, no, 20, 2, no, 30, 31, 32);
      assertThat(first.segments()).containsExactly(0, 0, 0, 0, 1, 0, 0, 1, 1, 1);
      Batch second = loader.next().batch();
      assertThat(second.ids()).containsExactly(32, 2, 1, 10, 11, 2, 1, 20, 2, 1);
      assertThat(second.segments()).containsExactly(0, 0, 1, 1, 1, 0, 1, 1, 1, 2);
    }
  }

  @Test
  void windowsOfTheReferenceShareNoIdAndComeAgain() throws IOException {
    int[][] rows = new int[4][65];
    for (int i = 0; i < 260; i++) {
      rows[i / 65][i % 65] = i;
    }
    write("r.npy", rows);
    try (TokenSource source = open("r.npy")) {
      Loader loader = loader(phase(64, 4, Packing.CONTIGUOUS, false, 65), source);
      for (int step = 0; step < 3; step++) {
        Batch batch = loader.next().batch();
        for (int row = 0; row < 4; row++) {
          assertThat(Arrays.copyOfRange(batch.ids(), row * 64, row * 64 + 64))
              .isEqualTo(Arrays.copyOfRange(rows[row], 0, 64));
          assertThat(Arrays.copyOfRange(batch.targets(), row * 64, row * 64 + 64))
              .isEqualTo(Arrays.copyOfRange(rows[row], 1, 65));
        }
        assertThat(batch.segments()).containsOnly(0);
      }
    }
  }

  /// Padding is id 0, which no document is left with here.
  private static List<Integer> withoutPadding(int[] ids) {
    return new ArrayList<>(Arrays.stream(ids).filter(id -> id != 0).boxed().toList());
  }

  @Test
  @Seeded
  void everyTokenIsAnInputOncePerEpoch(Random random) throws IOException {
    int tokens = writeRandom("b.npy", 37, random);
    try (TokenSource source = open("b.npy")) {
      int length = 13;
      Phase phase = phase(length, 1, Packing.DOCUMENTS, true, null);
      Loader loader = loader(phase, source);
      long rows = Loader.rowsPerEpoch(phase, List.of(source));
      // Best fit leaves little room: these documents fill all rows but a few positions.
      assertThat(rows * length).isBetween((long) tokens, tokens + tokens / 10L + length);
      int[] all = new int[tokens];
      source.copy(0, all, 0, tokens);
      List<Integer> expected = withoutPadding(all);
      List<Integer> previous = expected;
      for (int epoch = 0; epoch < 3; epoch++) {
        List<Integer> seen = new ArrayList<>();
        for (long row = 0; row < rows; row++) {
          seen.addAll(withoutPadding(loader.next().batch().ids()));
        }
        assertThat(seen).isNotEqualTo(previous);
        assertThat(seen).containsExactlyInAnyOrderElementsOf(expected);
        previous = seen;
      }
    }
  }

  @Test
  @Seeded
  void aRestoredLoaderGoesOnAsIfNothingHadHappened(Random random) throws Exception {
    writeRandom("a.npy", 37, random);
    writeRandom("b.npy", 5, random);
    try (TokenSource a = open("a.npy");
        TokenSource b = open("b.npy")) {
      for (Packing packing : Packing.values()) {
        Phase phase = phase(33, 3, packing, true, null, 3.0, 1.0);
        List<TokenSource> sources = List.of(a, b);
        Loader loader = Loader.open(phase, sources, 7, Optional.empty());
        List<Loader.Loaded> loaded = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
          loaded.add(loader.next());
        }
        int cut = random.nextInt(50);
        JsonMapper json = new JsonMapper();
        LoaderState state =
            json.readValue(json.writeValueAsString(loaded.get(cut).state()), LoaderState.class);
        try (Prefetch prefetch = new Prefetch(Loader.open(phase, sources, 7, Optional.of(state)))) {
          for (int i = cut + 1; i < 60; i++) {
            Loader.Loaded again = prefetch.next();
            assertThat(again.batch().ids()).isEqualTo(loaded.get(i).batch().ids());
            assertThat(again.batch().targets()).isEqualTo(loaded.get(i).batch().targets());
            assertThat(again.batch().segments()).isEqualTo(loaded.get(i).batch().segments());
            assertThat(again.state()).isEqualTo(loaded.get(i).state());
          }
        }
        List<LoaderState.SourceState> last = loaded.getLast().state().sources();
        assertThat(last.get(0).rows()).isEqualTo(135);
        assertThat(last.get(1).rows()).isEqualTo(45);
      }
    }
  }

  @Test
  @Seeded
  void validationCountsEveryTargetOnce(Random random) throws IOException {
    int tokens = writeRandom("v.npy", 11, random);
    try (TokenSource source = open("v.npy")) {
      assertThat(targets(new ValidationBatches(source, Packing.DOCUMENTS, 4, 16)))
          .isEqualTo(tokens - 11);
      assertThat(targets(new ValidationBatches(source, Packing.CONTIGUOUS, 4, 16)))
          .isEqualTo(tokens - 1);
    }
  }

  @Test
  void shardsOfADirectoryAreOneSource() throws IOException {
    write("many/s-0.npy", new int[] {1, 2, 3});
    write("many/s-1.npy", new int[] {4, 5});
    try (TokenSource source = open("many")) {
      int[] ids = new int[5];
      source.copy(0, ids, 0, 5);
      assertThat(ids).containsExactly(1, 2, 3, 4, 5);
      assertThat(source.documentCount()).isEqualTo(2);
      assertThat(source.documentOffset(1)).isEqualTo(3);
    }
  }

  @Test
  void unusableShardsSaySo() throws IOException {
    write("empty.npy");
    write("wide.npy", new int[] {1, 999});
    write("short.npy", new int[] {1, 2, 3});
    assertThatThrownBy(() -> open("empty.npy"))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no tokens");
    assertThatThrownBy(() -> TokenSource.open("x", directory.resolve("wide.npy"), 100))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("vocabulary of 1000 ids, but the model has 100");
    try (TokenSource source = open("short.npy")) {
      assertThatThrownBy(() -> loader(phase(64, 1, Packing.CONTIGUOUS, true, null), source))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining("needs 65");
    }
  }

  private static long targets(ValidationBatches batches) {
    long count = 0;
    for (Optional<Batch> batch = batches.next(); batch.isPresent(); batch = batches.next()) {
      count += batch.get().targetCount();
    }
    return count;
  }

  private static Loader loader(Phase phase, TokenSource source) {
    return Loader.open(phase, List.of(source), 7, Optional.empty());
  }

  private static Phase phase(
      int length,
      int rows,
      Packing packing,
      boolean shuffle,
      @Nullable Integer stride,
      Double... weights) {
    List<Source> sources = new ArrayList<>();
    for (Double weight : weights) {
      sources.add(Source.of("s", null, weight));
    }
    if (sources.isEmpty()) {
      sources.add(Source.of("s", null, null));
    }
    return new Phase(
        null, null, 1L, null, null, length, rows, null, null, null, sources, packing, stride,
        shuffle);
  }

  private TokenSource open(String name) throws IOException {
    return TokenSource.open(name, directory.resolve(name), VOCAB);
  }

  private int writeRandom(String name, int documents, Random random) throws IOException {
    int[][] all = new int[documents][];
    int tokens = 0;
    for (int i = 0; i < documents; i++) {
      all[i] = random.ints(1 + random.nextInt(90), 0, VOCAB).toArray();
      tokens += all[i].length;
    }
    write(name, all);
    return tokens;
  }

  private void write(String name, int[]... documents) throws IOException {
    try (TokenShardWriter writer = TokenShardWriter.create(directory.resolve(name), VOCAB, "")) {
      for (int[] document : documents) {
        writer.add("d", "test", "", document);
      }
      writer.commit();
    }
  }
}
