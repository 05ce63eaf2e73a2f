package moxin.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class LaunchEnvironmentTest {

  @Test
  void aProcessThatNobodyLaunchedIsAlone() {
    assertThat(LaunchEnvironment.of(Map.of("PATH", "/bin"))).isEqualTo(LaunchEnvironment.ALONE);
    assertThat(Communicators.join(Map.of())).isInstanceOf(SoloCommunicator.class);
  }

  @Test
  void openMpiIsRecognised() {
    LaunchEnvironment found =
        LaunchEnvironment.of(
            Map.of(
                "OMPI_COMM_WORLD_RANK", "5",
                "OMPI_COMM_WORLD_SIZE", "8",
                "OMPI_COMM_WORLD_LOCAL_RANK", "1",
                "OMPI_COMM_WORLD_LOCAL_SIZE", "4",
                "RANK", "0",
                "WORLD_SIZE", "1"));
    assertThat(found)
        .isEqualTo(new LaunchEnvironment("Open MPI", 5, 8, 1, 4, LaunchEnvironment.Transport.MPI));
  }

  @Test
  void aSlurmStepIsRecognisedAndABatchScriptIsNot() {
    Map<String, String> step =
        Map.of("SLURM_PROCID", "3", "SLURM_STEP_NUM_TASKS", "4", "SLURM_LOCALID", "3");
    assertThat(LaunchEnvironment.of(step).rank()).isEqualTo(3);
    assertThat(LaunchEnvironment.of(step).localSize()).isEqualTo(4);
    Map<String, String> script = Map.of("SLURM_PROCID", "0", "SLURM_NTASKS", "4");
    assertThat(LaunchEnvironment.of(script)).isEqualTo(LaunchEnvironment.ALONE);
  }

  @Test
  void withoutProcessManagementSlurmsProcessesMeetByTcp() {
    Map<String, String> plain = Map.of("SLURM_PROCID", "1", "SLURM_STEP_NUM_TASKS", "2");
    assertThat(LaunchEnvironment.of(plain).transport())
        .isEqualTo(LaunchEnvironment.Transport.RENDEZVOUS);
    Map<String, String> pmix = new HashMap<>(plain);
    pmix.put("PMIX_RANK", "1");
    assertThat(LaunchEnvironment.of(pmix).transport()).isEqualTo(LaunchEnvironment.Transport.MPI);
  }

  @Test
  void thePodsOfAnIndexedJobAreRecognised() {
    LaunchEnvironment pod =
        LaunchEnvironment.of(Map.of("JOB_COMPLETION_INDEX", "2", "WORLD_SIZE", "4"));
    assertThat(pod.launcher()).isEqualTo("Kubernetes");
    assertThat(pod.rank()).isEqualTo(2);
    assertThat(pod.transport()).isEqualTo(LaunchEnvironment.Transport.RENDEZVOUS);
  }

  @Test
  void torchrunsVariablesHaveToSayWhereToMeet() {
    Map<String, String> torchrun = Map.of("RANK", "0", "WORLD_SIZE", "2", "LOCAL_RANK", "0");
    assertThat(LaunchEnvironment.of(torchrun).size()).isEqualTo(2);
    assertThatThrownBy(() -> Communicators.join(torchrun))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("MASTER_ADDR")
        .hasMessageContaining("mpirun -n 2")
        .hasMessageNotContaining("\n");
    Map<String, String> one = Map.of("RANK", "0", "WORLD_SIZE", "1");
    assertThat(Communicators.join(one).size()).isEqualTo(1);
  }

  @Test
  void valuesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> LaunchEnvironment.of(Map.of("PMI_RANK", "x", "PMI_SIZE", "2")))
        .isInstanceOf(LaunchException.class)
        .hasMessage("PMI_RANK=x is no number of processes");
    assertThatThrownBy(() -> LaunchEnvironment.of(Map.of("RANK", "2", "WORLD_SIZE", "2")))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("process 2 of 2");
  }
}
