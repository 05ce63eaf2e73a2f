package moxin.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RendezvousTest {

  private static Rendezvous of(String... pairs) {
    Map<String, String> environment = new HashMap<>(Map.of("RANK", "0", "WORLD_SIZE", "2"));
    for (int i = 0; i < pairs.length; i += 2) {
      environment.put(pairs[i], pairs[i + 1]);
    }
    return Rendezvous.of(environment, LaunchEnvironment.of(environment));
  }

  @Test
  void torchrunsVariablesSayWhereToMeet() {
    Rendezvous place =
        of("MASTER_ADDR", "node1", "MASTER_PORT", "29500", "MOXIN_JOB_TOKEN", "secret");
    assertThat(place).isEqualTo(new Rendezvous("node1", 29500, "secret", Duration.ofMinutes(5)));
    assertThat(place.toString()).doesNotContain("secret");
  }

  @Test
  void theAgentOfTorchrunKeepsItsOwnPort() {
    Rendezvous place =
        of(
            "MASTER_ADDR",
            "127.0.0.1",
            "MASTER_PORT",
            "29500",
            "TORCHELASTIC_USE_AGENT_STORE",
            "True");
    assertThat(place.port()).isEqualTo(29501);
  }

  @Test
  void aPortThatOthersReachNeedsASecret() {
    assertThatThrownBy(() -> of("MASTER_ADDR", "node1", "MASTER_PORT", "29500"))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("MOXIN_JOB_TOKEN");
    assertThat(of("MASTER_ADDR", "localhost", "MASTER_PORT", "29500").isLocal()).isTrue();
  }

  @Test
  void slurmsListOfNodesIsEnough() {
    Map<String, String> slurm =
        Map.of(
            "SLURM_PROCID", "1",
            "SLURM_STEP_NUM_TASKS", "2",
            "SLURM_STEP_NODELIST", "gpu[03-07,09]",
            "SLURM_JOB_ID", "1234567",
            "MOXIN_JOB_TOKEN", "t");
    Rendezvous place = Rendezvous.of(slurm, LaunchEnvironment.of(slurm));
    assertThat(place.host()).isEqualTo("gpu03");
    assertThat(place.port()).isEqualTo(20_000 + 1234567 % 12_000);
  }

  @Test
  void theFirstNodeOfAnyListIsFound() {
    assertThat(Rendezvous.firstHost("login")).isEqualTo("login");
    assertThat(Rendezvous.firstHost("a1,b[2-3]")).isEqualTo("a1");
    assertThat(Rendezvous.firstHost("n[7,9]-ib")).isEqualTo("n7-ib");
    assertThat(Rendezvous.firstHost("r[1-2]n[03-04]")).isEqualTo("r1n03");
    assertThatThrownBy(() -> Rendezvous.firstHost("n[1")).isInstanceOf(LaunchException.class);
  }

  @Test
  void wrongPortsAreRefused() {
    for (String port : new String[] {"0", "65536", "-1", "x", "99999999999"}) {
      assertThatThrownBy(() -> of("MASTER_ADDR", "localhost", "MASTER_PORT", port))
          .isInstanceOf(LaunchException.class)
          .hasMessage("MASTER_PORT=" + port + " is no number from 1 to 65535");
    }
  }
}
