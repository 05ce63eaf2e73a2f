package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import moxin.cli.MoxinProcess.Launch;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// SIGKILL at random moments of the quickstart: nothing under a final name is ever half-written,
/// and running it again ends with what an undisturbed run makes, bit for bit.
@Seeded
class KillIT {
  private static final int KILLS = 10;

  @TempDir private Path folder;

  @Test
  void aRunKilledAtAnyMomentEndsAsAnUndisturbedOne(Random random)
      throws IOException, InterruptedException {
    Path corpus = ShortQuickstart.gatherCorpus(folder.resolve("corpus"));
    Path undisturbed = folder.resolve("undisturbed").resolve("run");
    long started = System.nanoTime();
    Launch.in(folder).run(ShortQuickstart.arguments(corpus, undisturbed)).exits(0);
    Duration whole = Duration.ofNanos(System.nanoTime() - started);

    int kills = 0;
    for (int round = 0; kills < KILLS; round++) {
      Path run = folder.resolve("killed-" + round).resolve("run");
      List<String> arguments = ShortQuickstart.arguments(corpus, run);
      kills += killUntilDone(arguments, run, whole, KILLS - kills, random);
      assertThat(ShortQuickstart.contents(run))
          .containsExactlyInAnyOrderEntriesOf(ShortQuickstart.contents(undisturbed));
      assertThat(ShortQuickstart.losses(run)).isEqualTo(ShortQuickstart.losses(undisturbed));
      ShortQuickstart.requireWhole(run);
      ShortQuickstart.requireTidy(run);
    }
  }

  /// Starts the run again and again until it ends by itself, and returns how often it was killed,
  /// `most` times at most.
  private int killUntilDone(
      List<String> arguments, Path run, Duration whole, int most, Random random)
      throws IOException, InterruptedException {
    for (int kills = 0; kills < most; kills++) {
      try (MoxinProcess process = Launch.in(folder).start(arguments)) {
        if (process.endsWithin(whole.multipliedBy(random.nextInt(5, 100)).dividedBy(100))) {
          process.await().exits(0);
          return kills;
        }
        process.kill();
      }
      ShortQuickstart.requireWhole(run);
    }
    Launch.in(folder).run(arguments).exits(0);
    return most;
  }
}
