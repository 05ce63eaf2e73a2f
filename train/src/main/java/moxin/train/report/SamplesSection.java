package moxin.train.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.train.run.SampleText;

/// Texts that the growing model wrote, prompt by prompt.
final class SamplesSection {
  private static final int MOST_PROMPTS = 8;
  private static final int MOST_PER_PROMPT = 6;
  private static final int MOST_CHARACTERS = 900;

  private SamplesSection() {}

  static void write(Markup page, RunFiles run) {
    if (run.samples().isEmpty()) {
      return;
    }
    Map<String, List<SampleText>> byPrompt = new LinkedHashMap<>();
    for (SampleText sample : run.samples()) {
      byPrompt.computeIfAbsent(sample.prompt(), prompt -> new ArrayList<>()).add(sample);
    }
    page.section("Samples as they improve");
    int shown = 0;
    for (List<SampleText> texts : byPrompt.values().stream().limit(MOST_PROMPTS).toList()) {
      page.open("div", "class", "samples");
      for (SampleText sample : spread(texts)) {
        sample(page, sample);
        shown++;
      }
      page.close();
    }
    if (shown < run.samples().size()) {
      page.leaf(
          "p",
          shown + " of " + run.samples().size() + " texts; all are in samples.jsonl.",
          "class",
          "muted");
    }
    page.close();
  }

  private static void sample(Markup page, SampleText sample) {
    page.open("article");
    page.leaf("p", "step " + Figures.exact(sample.step()), "class", "step");
    page.open("blockquote", "dir", "auto");
    page.leaf("mark", Figures.shortened(sample.prompt(), MOST_CHARACTERS));
    page.leaf("span", Figures.shortened(sample.text(), MOST_CHARACTERS));
    page.close().close();
  }

  /// The first, the last, and some evenly between.
  private static List<SampleText> spread(List<SampleText> texts) {
    if (texts.size() <= MOST_PER_PROMPT) {
      return texts;
    }
    List<SampleText> chosen = new ArrayList<>();
    for (int i = 0; i < MOST_PER_PROMPT; i++) {
      chosen.add(texts.get((int) ((long) i * (texts.size() - 1) / (MOST_PER_PROMPT - 1))));
    }
    return chosen;
  }
}
