package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.data.spark.SparkRelease;
import moxin.infer.EngineTier;
import moxin.infer.KernelChoice;
import moxin.infer.assembly.CpuFeatures;
import moxin.infer.assembly.MachineCodeException;
import moxin.torch.LibTorch;
import moxin.torch.LibTorchUnavailableException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin doctor`.
@Command(
    name = "doctor",
    description = "Say what this machine offers, which kernels are in use, and what is missing.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Option(names = "--json", description = "print JSON")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Map<String, String> findings = new LinkedHashMap<>();
    findings.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    findings.put("java home", System.getProperty("java.home"));
    findings.put(
        "machine",
        "%s %s, %d processors"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors()));
    findings.put("processor", processor());
    findings.put("kernels", kernels());
    findings.put("memory", memory());
    findings.put("libtorch", libTorch());
    findings.put("spark", SparkRelease.version() + ", in local mode");
    findings.put("disk", disk());
    print(findings);
    return 0;
  }

  private void print(Map<String, String> findings) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(findings));
    } else {
      findings.forEach((name, value) -> out.printf(Locale.ROOT, "%-10s %s%n", name, value));
    }
    out.flush();
  }

  private static String processor() {
    try {
      return CpuFeatures.detect() + "; machine code can run";
    } catch (MachineCodeException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static String kernels() {
    EngineTier tier = EngineTier.of(KernelChoice.AUTO);
    return tier.fallbackReason()
        .map(reason -> tier.kernels() + ", not the fastest: " + reason)
        .orElse(tier.kernels());
  }

  private static String memory() throws IOException {
    String heap = "heap up to " + gigabytes(Runtime.getRuntime().maxMemory());
    Path info = Path.of("/proc/meminfo");
    if (!Files.isReadable(info)) {
      return heap;
    }
    return Files.readAllLines(info).stream()
            .filter(line -> line.startsWith("MemAvailable:"))
            .map(line -> gigabytes(Long.parseLong(line.replaceAll("\\D", "")) * 1024))
            .findFirst()
            .orElse("an unknown amount")
        + " available; "
        + heap;
  }

  private static String libTorch() throws IOException {
    try {
      LibTorch libTorch = LibTorch.load(TerminalProgress.onStandardError());
      return "%s on %s, from %s"
          .formatted(
              libTorch.version(),
              libTorch.defaultDevice(),
              libTorch.libraries().getLast().getParent());
    } catch (LibTorchUnavailableException e) {
      return "missing: " + e.getMessage();
    }
  }

  private static String disk() throws IOException {
    Path here = Path.of("").toAbsolutePath();
    return gigabytes(Files.getFileStore(here).getUsableSpace()) + " free in " + here;
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
