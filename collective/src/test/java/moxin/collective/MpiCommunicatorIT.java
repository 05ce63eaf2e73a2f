package moxin.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.testing.MpiRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MpiCommunicatorIT {
  @TempDir private Path directory = Path.of("");

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void bytesArriveAndSumsHaveTheBitsOfRankOrder(int ranks) throws Exception {
    MpiRun.Ended ended = MpiRun.run(directory, ranks, ExchangeProgram.class, "check");
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    for (int rank = 0; rank < ranks; rank++) {
      assertThat(ended.output()).contains("rank " + rank + " is content");
    }
  }

  @Test
  void theOthersEndAtOnceWhenMpirunSeesAProcessDie() throws Exception {
    MpiRun run = MpiRun.start(directory, 3, List.of(), ExchangeProgram.class, "hang");
    kill(2);
    MpiRun.Ended ended = run.end(Duration.ofSeconds(30));
    assertThat(ended.exitCode()).as(ended.output()).isNotZero();
    assertThat(ended.output()).contains("signal 9");
  }

  @Test
  void theOthersNoticeThemselvesWhereTheLauncherKeepsThem() throws Exception {
    MpiRun run =
        MpiRun.start(
            directory,
            3,
            List.of(
                "--mca",
                "orte_abort_on_non_zero_status",
                "0",
                "--mca",
                "orte_enable_recovery",
                "1"),
            ExchangeProgram.class,
            "hang");
    kill(2);
    MpiRun.Ended ended = run.end(Duration.ofSeconds(30));
    assertThat(ended.output()).contains(" stops: process 2 (pid ").contains("--resume");
  }

  /// Kills a process once it has said who it is.
  private void kill(int rank) throws Exception {
    Pattern line = Pattern.compile("pid " + rank + " ([0-9]+)\n");
    for (int attempt = 0; attempt < 600; attempt++) {
      Optional<Long> pid = find(line);
      if (pid.isPresent()) {
        Thread.sleep(1500);
        assertThat(ProcessHandle.of(pid.get()).orElseThrow().destroyForcibly()).isTrue();
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("the processes do not start");
  }

  private Optional<Long> find(Pattern line) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Matcher matcher = line.matcher(Files.readString(file));
        if (matcher.find()) {
          return Optional.of(Long.parseLong(matcher.group(1)));
        }
      }
    }
    return Optional.empty();
  }
}
