package moxin.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import moxin.testing.TcpRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real processes on TCP.
final class TcpProcessesIT {
  @TempDir private Path directory = Path.of("");

  @Test
  void theLawsHoldBetweenProcesses() throws Exception {
    TcpRun.Ended ended = TcpRun.run(directory, 3, ExchangeProgram.class, "check");
    assertThat(ended.exitCodes()).as(ended.output()).containsExactly(0, 0, 0);
    assertThat(ended.output()).contains("rank 0 is content", "rank 2 is content");
  }

  @Test
  void whenOneIsKilledOneOfTheOthersSpeaksAndAllEnd() throws Exception {
    TcpRun run = TcpRun.start(directory, 3, ExchangeProgram.class, "hang");
    for (int i = 0; i < 600 && !run.output(2).contains("pid 2"); i++) {
      Thread.sleep(50);
    }
    Thread.sleep(1000);
    assertThat(run.process(2).destroyForcibly()).isTrue();
    TcpRun.Ended ended = run.end(Duration.ofSeconds(30));
    assertThat(ended.exitCodes()).as(ended.output()).containsExactly(1, 1, 137);
    assertThat(ended.output())
        .containsOnlyOnce(" stops: ")
        .contains("process 0 stops: process 2 (pid ")
        .contains("has ended before the job", "--resume");
  }
}
