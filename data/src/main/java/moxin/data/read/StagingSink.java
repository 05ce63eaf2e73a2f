package moxin.data.read;

import java.util.function.Consumer;
import moxin.data.CorpusRecipe;
import moxin.data.Draft;
import moxin.data.StageItem;
import moxin.data.StagedDocument;
import moxin.data.Tally;

/// Stages what readers find, and counts it. Mutable; for one thread.
public final class StagingSink implements ReadSink {
  private final StagedDocument.Staging staging;
  private final Tally tally = new Tally();
  private final Consumer<StageItem> items;

  public StagingSink(CorpusRecipe recipe, Consumer<StageItem> items) {
    this.staging = new StagedDocument.Staging(recipe);
    this.items = items;
  }

  /// Hands over the counts; call once at the end.
  public void finish() {
    items.accept(tally);
  }

  @Override
  public void draft(Draft draft) {
    staging.stage(draft, tally).forEach(items);
  }

  @Override
  public void skipped(String source, String reason, String where) {
    tally.add(Tally.SKIPPED, source, reason, 0, 0, where, "");
  }

  @Override
  public void file(String source, String path, long bytes, String licence, String evidence) {
    tally.add(Tally.FILES, source, "", bytes, 0, path, "");
    tally.add(Tally.LICENCES, source, licence, bytes, 0, path, evidence);
  }

  @Override
  public void replaced(String source, String where, long places) {
    if (places > 0) {
      tally.add(Tally.REPLACED, source, "", 0, places, where, "");
    }
  }
}
