package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import moxin.job.AtomicFile;

/// `LICENSE`, which says what holds for what, and the texts that are at hand in `LICENSES`.
final class LicenceFiles {

  private LicenceFiles() {}

  static void write(Path folder, ReleaseFacts facts, Optional<Path> sources) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("The parts of this release are under licences of their own.\n\n");
    row(text, "Code", facts.recipe().code());
    row(text, "Weights", facts.recipe().weights());
    row(text, "Cards, report, results, samples", facts.recipe().document());
    boolean included = facts.datasetsHeldBack().isEmpty();
    Map<String, Long> documents = new TreeMap<>();
    for (DataLicences.Found found : facts.licences().distinct()) {
      if (found.stated()) {
        documents.merge(found.expression(), found.files(), Long::sum);
      }
    }
    documents.forEach(
        (licence, files) ->
            row(
                text,
                (included ? "Documents in data/documents" : "Documents read, not in this folder")
                    + ", of "
                    + files
                    + " files read",
                licence));
    AtomicFile.write(folder.resolve(ReleaseFolder.LICENCE), text.toString());
    Path texts = folder.resolve(ReleaseFolder.LICENCE_TEXTS);
    if (sources.isPresent()) {
      FolderCopy.file(sources.get().resolve("LICENSE"), texts.resolve("Apache-2.0.txt"));
    }
    if (included && !facts.licences().distributed().isEmpty()) {
      copyJdk(texts.resolve("jdk"));
    }
  }

  /// The licence texts that the running JDK comes with, which its sources are under.
  private static void copyJdk(Path folder) throws IOException {
    Path legal = Path.of(System.getProperty("java.home"), "legal", "java.base");
    for (String name : List.of("LICENSE", "ADDITIONAL_LICENSE_INFO", "ASSEMBLY_EXCEPTION")) {
      if (Files.isReadable(legal.resolve(name))) {
        FolderCopy.file(legal.resolve(name), folder.resolve(name));
      }
    }
  }

  private static void row(StringBuilder text, String what, String licence) {
    text.append(what).append(": ").append(licence).append('\n');
    text.append(
        DataLicences.words(licence).stream()
            .filter(id -> id.matches("[A-Za-z0-9.+-]+") && !id.startsWith("LicenseRef"))
            .map(id -> "    https://spdx.org/licenses/" + id + ".html\n")
            .collect(Collectors.joining()));
  }
}
