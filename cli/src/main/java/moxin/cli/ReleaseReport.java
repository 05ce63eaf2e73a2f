package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import moxin.cli.terminal.Quantities;
import moxin.job.Manifest;
import moxin.release.ManifestChain;
import moxin.release.ReleaseCheck;
import moxin.release.mof.Component;
import moxin.release.mof.ComponentStatus;
import moxin.release.mof.OpennessClass;
import moxin.release.mof.OpennessEvaluation;

/// How open a card or a release is, as text and as JSON.
///
/// @param evaluation what counts
/// @param release what was found in the files; empty where there is a card alone
record ReleaseReport(OpennessEvaluation evaluation, Optional<ReleaseCheck.Report> release) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  static ReleaseReport of(OpennessEvaluation card) {
    return new ReleaseReport(card, Optional.empty());
  }

  static ReleaseReport of(ReleaseCheck.Report release) {
    return new ReleaseReport(release.verified(), Optional.of(release));
  }

  void print(PrintWriter out) {
    out.println(evaluation.card().name() + " by " + evaluation.card().producer());
    out.println(label(evaluation));
    out.println();
    for (OpennessClass target : List.of(OpennessClass.values()).reversed()) {
      List<String> lacking = evaluation.lacking(target).stream().map(Component::label).toList();
      out.printf(
          Locale.ROOT,
          "%-32s %3d %%%s%n",
          target.label(),
          evaluation.percentRounded(target),
          lacking.isEmpty() ? "" : "   lacks: " + String.join(", ", lacking));
    }
    out.println();
    for (Component component : Component.values()) {
      ComponentStatus status = evaluation.status(component);
      String licence =
          evaluation.licences().getOrDefault(component, "")
              + (status == ComponentStatus.CONDITIONAL
                  ? " (open, but not meant for " + component.type().key() + ")"
                  : "");
      out.println("%-34s %-11s %s".formatted(component.label(), word(status), licence).strip());
    }
    release.ifPresent(report -> print(report, out));
  }

  private static void print(ReleaseCheck.Report report, PrintWriter out) {
    ManifestChain.Report chain = report.chain();
    list("The card says more than the files show:", report.unproven(), out);
    list("Files that are not what was released:", chain.differences(), out);
    list("The chain from the weights to the documents is broken:", chain.gaps(), out);
    out.println();
    if (chain.holds()) {
      out.println(
          "Verified by hash from the weights to what was read: "
              + chain.links().size()
              + " links, "
              + chain.referenced()
              + " files named by hash only.");
    }
    for (Manifest.Entry origin : chain.origins()) {
      out.println(
          "  %s  %s, %s"
              .formatted(
                  origin.sha256(), origin.name(), Quantities.bytes((double) origin.byteSize())));
    }
    out.println("Manifest of the release: sha256 " + report.sha256());
  }

  private static void list(String title, List<String> lines, PrintWriter out) {
    if (!lines.isEmpty()) {
      out.println();
      out.println(title);
      lines.forEach(line -> out.println("  " + line));
    }
  }

  String toJson() throws JsonProcessingException {
    ObjectNode root = JSON.createObjectNode();
    root.put("name", evaluation.card().name());
    root.put("classification", label(evaluation));
    evaluation.reached().ifPresent(reached -> root.put("class", reached.number()));
    ObjectNode classes = root.putObject("classes");
    for (OpennessClass target : OpennessClass.values()) {
      ObjectNode node = classes.putObject(Integer.toString(target.number()));
      node.put("label", target.label());
      node.put("progress", evaluation.percentRounded(target));
      evaluation
          .lacking(target)
          .forEach(component -> node.withArray("/lacking").add(component.label()));
    }
    ObjectNode components = root.putObject("components");
    for (Component component : Component.values()) {
      ObjectNode node = components.putObject(component.label());
      node.put("status", word(evaluation.status(component)));
      String licence = evaluation.licences().get(component);
      if (licence != null) {
        node.put("license", licence);
      }
    }
    release.ifPresent(report -> root.set("files", toJson(report)));
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
  }

  private static ObjectNode toJson(ReleaseCheck.Report report) {
    ObjectNode files = JSON.createObjectNode();
    files.put("genuine", report.genuine());
    files.put("claimed", label(report.claimed()));
    files.put("manifestSha256", report.sha256());
    files.set("unproven", JSON.valueToTree(report.unproven()));
    files.put("chainHolds", report.chain().holds());
    files.set("chain", JSON.valueToTree(report.chain()));
    return files;
  }

  private static String word(ComponentStatus status) {
    return status.name().toLowerCase(Locale.ROOT);
  }

  private static String label(OpennessEvaluation evaluation) {
    return evaluation.reached().map(OpennessClass::label).orElse("Unclassified");
  }
}
