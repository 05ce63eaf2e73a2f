package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import moxin.cli.terminal.Quantities;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.estimate.DeviceMemory;
import moxin.train.estimate.Machine;
import moxin.train.estimate.ModelFlops;
import moxin.train.estimate.PhaseEstimate;
import moxin.train.estimate.Placement;
import moxin.train.estimate.RunEstimate;
import moxin.train.recipe.Activations;
import org.jspecify.annotations.Nullable;

/// An estimate as a table or as JSON, with all that it assumes.
record DryRunReport(RunEstimate estimate, List<String> notes) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final double GIB = 1 << 30;

  void print(PrintWriter out) {
    row(out, "parameters", String.format(Locale.ROOT, "%,d", estimate.parameters()));
    row(out, "tokens", String.format(Locale.ROOT, "%,d", estimate.tokens()));
    row(
        out,
        "FLOPs",
        String.format(
            Locale.ROOT,
            "%.3e in all; per token %s, P weights, L layers, H heads of D",
            estimate.flops(),
            ModelFlops.FORMULA));
    row(out, "time", time(estimate.seconds()));
    row(out, "cost", cost());
    row(out, "assumed", assumed());
    out.println();
    estimate.phases().forEach(phase -> row(out, phase.name(), length(phase)));
    out.println();
    printMemory(out);
    notes.forEach(out::println);
  }

  private static String length(PhaseEstimate phase) {
    ModelFlops perToken = phase.flopsPerToken();
    return String.format(
        Locale.ROOT,
        "%,d tokens in %,d steps of %d x %d rows of %d; %.4e FLOPs per token, %.1f %% of them"
            + " attention; %s",
        phase.tokens(),
        phase.steps(),
        phase.accumulationSteps(),
        phase.batchSize(),
        phase.contextLength(),
        perToken.total(),
        100 * perToken.attention() / perToken.total(),
        phase.seconds() == null ? "time not known" : time(phase.seconds()));
  }

  private void printMemory(PrintWriter out) {
    out.printf(Locale.ROOT, "%-27s", "GiB of one device");
    estimate.phases().forEach(phase -> out.printf(Locale.ROOT, " %14.14s", phase.name()));
    out.println();
    memory(out, "weights", DeviceMemory::weights);
    memory(out, "master weights, fp32", DeviceMemory::masterWeights);
    memory(out, "gradients", DeviceMemory::gradients);
    memory(out, "optimizer", DeviceMemory::optimizer);
    memory(out, "activations", DeviceMemory::activations);
    memory(out, "logits", DeviceMemory::logits);
    memory(out, "total", DeviceMemory::total);
    if (estimate.placement().place() == OptimizerPlace.HOST) {
      memory(out, "in the host's memory", DeviceMemory::host);
    }
    for (Activations choice : Activations.values()) {
      String verb =
          switch (choice) {
            case KEEP -> "kept";
            case SELECTIVE -> "selective";
            case RECOMPUTE -> "recomputed";
          };
      line(out, "activations, if " + verb, choice, DeviceMemory::activations);
      line(out, "total, if " + verb, choice, DeviceMemory::total);
    }
  }

  private void memory(PrintWriter out, String label, ToLongFunction<DeviceMemory> part) {
    out.printf(Locale.ROOT, "%-27s", label);
    for (PhaseEstimate phase : estimate.phases()) {
      out.printf(Locale.ROOT, " %14.2f", part.applyAsLong(phase.memory()) / GIB);
    }
    out.println();
  }

  private void line(
      PrintWriter out, String label, Activations choice, ToLongFunction<DeviceMemory> part) {
    out.printf(Locale.ROOT, "%-27s", label);
    for (PhaseEstimate phase : estimate.phases()) {
      DeviceMemory memory = phase.memoryByActivations().get(choice);
      out.printf(Locale.ROOT, " %14.2f", (memory == null ? 0 : part.applyAsLong(memory)) / GIB);
    }
    out.println();
  }

  private String assumed() {
    Machine machine = estimate.machine();
    Placement placement = estimate.placement();
    return String.format(
        Locale.ROOT,
        "%d device%s of %.1f GiB and %s in %s, %.0f %% MFU, %s; ZeRO stage %d, %s optimizer state,"
            + " attention: %s, %s",
        placement.devices(),
        placement.devices() == 1 ? "" : "s",
        machine.memoryBytes() / GIB,
        peak(machine.peakFlops()),
        placement.computeType(),
        100 * machine.mfu(),
        price(machine.pricePerHour()),
        placement.zeroStage(),
        placement.moments(),
        placement.attention(),
        placement.master() == MasterWeights.NONE ? "no master weights" : "fp32 master weights");
  }

  private static String peak(@Nullable Double flops) {
    return flops == null
        ? "unknown speed"
        : String.format(Locale.ROOT, "%.4g TFLOP/s", flops / 1e12);
  }

  private static String price(@Nullable Double perHour) {
    return perHour == null
        ? "price unknown"
        : String.format(Locale.ROOT, "$%.2f an hour each", perHour);
  }

  private String cost() {
    Double hours = estimate.deviceHours();
    Double cost = estimate.cost();
    if (hours == null) {
      return "not known without --peak-flops and --price-per-hour";
    }
    String spent = String.format(Locale.ROOT, "%,.0f device-hours, ", hours);
    return spent
        + (cost == null
            ? "price not known without --price-per-hour"
            : String.format(Locale.ROOT, "$%,.0f", cost));
  }

  private static String time(@Nullable Double seconds) {
    if (seconds == null) {
      return "not known without --peak-flops";
    }
    return seconds < 86400
        ? Quantities.duration(seconds)
        : String.format(Locale.ROOT, "%,.1f days", seconds / 86400);
  }

  private static void row(PrintWriter out, String label, String value) {
    out.printf(Locale.ROOT, "%-16s %s%n", label, value);
  }

  void printJson(PrintWriter out) throws JsonProcessingException {
    ObjectNode root = JSON.createObjectNode();
    root.put("parameters", estimate.parameters())
        .put("tokens", estimate.tokens())
        .put("flops", estimate.flops())
        .put("flopsPerTokenFormula", ModelFlops.FORMULA)
        .put("seconds", estimate.seconds())
        .put("deviceHours", estimate.deviceHours())
        .put("costUsd", estimate.cost());
    root.set("placement", JSON.valueToTree(estimate.placement()));
    ObjectNode machine = JSON.valueToTree(estimate.machine());
    root.set("machine", machine.put("usableMemory", Machine.USABLE));
    ArrayNode phases = root.putArray("phases");
    for (PhaseEstimate phase : estimate.phases()) {
      ObjectNode node = JSON.valueToTree(phase);
      ((ObjectNode) node.get("memory")).put("total", phase.memory().total());
      phases.add(node);
    }
    root.put("fits", estimate.refusal().isEmpty());
    root.put("refusal", estimate.refusal().orElse(null));
    root.put("notes", notes.stream().collect(Collectors.joining("\n")));
    out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root));
  }
}
