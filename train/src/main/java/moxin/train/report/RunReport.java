package moxin.train.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import moxin.job.AtomicFile;
import moxin.job.CodeVersion;

/// Writes the report of a run: one self-contained HTML file.
public final class RunReport {

  /// Its name in the run directory.
  public static final String FILE_NAME = "report.html";

  private RunReport() {}

  /// Writes `report.html` into `runDirectory` from what lies there: `recipe.yaml`, `metrics.jsonl`,
  /// `validation.jsonl`, `evaluation.jsonl`, `samples.jsonl`, `data/report.json`,
  /// `evaluation/results.json`, `evaluation/summary.json`, and the configuration and manifest of
  /// `checkpoints/latest`. What is absent is left out. The same files give the same report.
  ///
  /// @return the file written
  /// @throws moxin.job.BadInputException if there is nothing to report, or a file is not what its
  ///   name says
  public static Path write(Path runDirectory) throws IOException {
    RunFiles run = RunFiles.read(runDirectory);
    Path file = runDirectory.resolve(FILE_NAME);
    AtomicFile.write(file, page(run));
    return file;
  }

  private static String page(RunFiles run) throws IOException {
    Markup page = new Markup();
    begin(page, run.name() + " · Moxin run");
    OverviewSection.write(page, run);
    TrainingSection.write(page, run);
    TasksSection.write(page, run);
    HeldOutSection.write(page, run);
    EvaluationSection.write(page, run);
    SamplesSection.write(page, run);
    DataSection.write(page, run);
    RecipeSection.write(page, run);
    ProvenanceSection.write(page, run);
    end(page, "Made by Moxin %s from the files of the run directory.");
    return page.toString();
  }

  /// Begins a page that loads nothing; its content follows.
  static void begin(Markup page, String title) throws IOException {
    page.open("html", "lang", "en").open("head");
    page.empty("meta", "charset", "utf-8");
    page.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    page.empty("meta", "name", "color-scheme", "content", "light dark");
    page.empty(
        "meta",
        "http-equiv",
        "Content-Security-Policy",
        "content",
        "default-src 'none'; style-src 'unsafe-inline'");
    page.leaf("title", title);
    page.style(stylesheet());
    page.close().open("body").open("main");
  }

  /// Ends a page.
  ///
  /// @param footer with `%s` for the version
  static void end(Markup page, String footer) {
    page.leaf("footer", footer.replace("%s", CodeVersion.current().version()));
    page.close().close().close();
  }

  private static String stylesheet() throws IOException {
    try (InputStream in = RunReport.class.getResourceAsStream("report.css")) {
      if (in == null) {
        throw new IllegalStateException("report.css is missing from the build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
