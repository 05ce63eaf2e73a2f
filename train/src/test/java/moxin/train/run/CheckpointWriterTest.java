package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.TensorView;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.recipe.CheckpointWriting;
import moxin.train.recipe.OnFullDisk;
import org.junit.jupiter.api.Test;

final class CheckpointWriterTest {
  private static final Batch BATCH =
      new Batch(1, 3, new int[] {1, 3, 7}, new int[] {3, 7, 1}, new int[3]);

  private final BigramLearner learner =
      new BigramLearner(TestRuns.config(TestRuns.VOCAB), DType.F32, 3);

  @Test
  void trainingGoesOnWhileACheckpointOfBeforeIsWritten() throws Exception {
    CountDownLatch mayWrite = new CountDownLatch(1);
    List<List<Float>> written = new ArrayList<>();
    List<Float> before = values(learner.weights());
    try (CheckpointWriter writer =
        new CheckpointWriter(
            (state, snapshot) -> {
              await(mayWrite);
              written.add(values(snapshot.weights()));
              written.add(values(snapshot.optimizerState().subList(0, 2)));
              return Path.of("step-" + state.step());
            },
            CheckpointWriting.BACKGROUND)) {
      writer.save(state(1), learner);
      learn();
      assertThat(written).isEmpty();
      assertThat(writer.completed()).isEmpty();
      mayWrite.countDown();
      writer.await();
      assertThat(writer.completed()).containsExactly(Path.of("step-1"));
      assertThat(writer.completed()).isEmpty();
    }
    assertThat(written.getFirst()).isEqualTo(before);
    assertThat(written.getLast()).containsOnly(0f);
    assertThat(values(learner.weights())).isNotEqualTo(before);
  }

  @Test
  void theNextCheckpointWaitsForTheLast() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<Path> paths = new ArrayList<>();
    try (CheckpointWriter writer =
        new CheckpointWriter(
            (state, snapshot) -> {
              most.accumulateAndGet(inside.incrementAndGet(), Math::max);
              List<Float> first = values(snapshot.weights());
              pause(5);
              assertThat(values(snapshot.weights())).isEqualTo(first);
              inside.decrementAndGet();
              return Path.of("step-" + state.step());
            },
            CheckpointWriting.BACKGROUND)) {
      for (int step = 1; step <= 8; step++) {
        learn();
        writer.save(state(step), learner);
        paths.addAll(writer.completed());
      }
      writer.await();
      paths.addAll(writer.completed());
    }
    assertThat(most).hasValue(1);
    assertThat(paths).hasSize(8).endsWith(Path.of("step-8"));
  }

  @Test
  void aFailureSurfacesOnceAsOneLine() throws Exception {
    try (CheckpointWriter writer =
        new CheckpointWriter(
            (state, _) -> {
              if (state.step() == 2) {
                throw new FileSystemException("x/optimizer", null, "No space left on device");
              }
              return Path.of("step-" + state.step());
            },
            CheckpointWriting.BACKGROUND)) {
      writer.save(state(1), learner);
      writer.save(state(2), learner);
      assertThatThrownBy(() -> writer.save(state(3), learner))
          .isInstanceOf(CheckpointWriteException.class)
          .hasMessage(
              "the checkpoint after step 2 could not be written: x/optimizer: No space left on"
                  + " device; the ones before it are whole, go on from there with --resume");
      writer.save(state(4), learner);
      writer.await();
      assertThat(writer.completed()).containsExactly(Path.of("step-1"), Path.of("step-4"));
    }
  }

  @Test
  void closingTellsOfAFailureNobodyHasSeen() throws Exception {
    CheckpointWriter writer =
        new CheckpointWriter(
            (_, _) -> {
              throw new IOException("broken");
            },
            CheckpointWriting.BACKGROUND);
    writer.save(state(1), learner);
    assertThatThrownBy(writer::close)
        .isInstanceOf(CheckpointWriteException.class)
        .hasMessageContaining("broken");
  }

  @Test
  void inTheForegroundTheLearnersOwnMemoryIsWritten() throws Exception {
    List<Path> paths = new ArrayList<>();
    try (CheckpointWriter writer =
        new CheckpointWriter(
            (state, snapshot) -> {
              assertThat(Thread.currentThread().getName()).isNotEqualTo("checkpoint-writer");
              assertThat(snapshot.weights()).hasSize(1);
              return Path.of("step-" + state.step());
            },
            CheckpointWriting.FOREGROUND)) {
      writer.save(state(7), learner);
      paths.addAll(writer.completed());
    }
    assertThat(paths).containsExactly(Path.of("step-7"));
  }

  @Test
  void theCopyIsMadeInTheSameMemory() {
    try (TensorCopy copy = new TensorCopy()) {
      TensorView first = copy.of(learner.weights()).getFirst();
      List<Float> before = values(List.of(first));
      learn();
      TensorView second = copy.of(learner.weights()).getFirst();
      assertThat(second.data().address()).isEqualTo(first.data().address());
      assertThat(values(List.of(second))).isNotEqualTo(before);
      assertThat(copy.of(learner.optimizerState()))
          .extracting(TensorView::name)
          .containsExactly("bigram.weight.exp_avg", "bigram.weight.exp_avg_sq", "step");
    }
  }

  @Test
  void aFullDiskStopsOrIsWaitedFor() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    List<String> notes = new ArrayList<>();
    FullDisk waiting = new FullDisk(OnFullDisk.WAIT, Duration.ofMillis(1), noting(notes));
    FullDisk.Write<String> write =
        () -> {
          if (attempts.incrementAndGet() < 5) {
            throw new FileSystemException("f", null, "No space left on device");
          }
          return "written";
        };
    assertThat(waiting.attempt("the checkpoint", write)).isEqualTo("written");
    assertThat(attempts).hasValue(5);
    assertThat(notes).containsExactly("the checkpoint: f: No space left on device; waits for room");

    attempts.set(0);
    FullDisk stopping = new FullDisk(OnFullDisk.STOP, Duration.ZERO, Progress.silent());
    assertThatThrownBy(() -> stopping.attempt("x", write)).hasMessageContaining("No space");
    assertThatThrownBy(
            () ->
                waiting.attempt(
                    "x",
                    () -> {
                      throw new IOException("Input/output error");
                    }))
        .hasMessage("Input/output error");
  }

  private static Progress noting(List<String> notes) {
    return new Progress() {
      @Override
      public Task start(String label, long total, String unit) {
        return Progress.silent().start(label, total, unit);
      }

      @Override
      public void note(String line) {
        notes.add(line);
      }
    };
  }

  private void learn() {
    learner.accumulate(BATCH, 1.0 / 3);
    learner.step(new AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1), 0.1);
  }

  private static TrainerState state(long step) {
    return new TrainerState(
        step,
        "p",
        0,
        step,
        1,
        null,
        0,
        0,
        0,
        null,
        null,
        MissingNode.getInstance(),
        step,
        0,
        0,
        null,
        null,
        null);
  }

  private static List<Float> values(List<TensorView> views) {
    List<Float> values = new ArrayList<>();
    for (TensorView view : views) {
      for (long i = 0; i < view.elements(); i++) {
        values.add(view.data().getAtIndex(ValueLayout.JAVA_FLOAT, i));
      }
    }
    return values;
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
