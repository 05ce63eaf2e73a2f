package moxin.train.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.job.RecipeFile;
import moxin.text.shard.ShardDocument;
import moxin.train.loader.RowSequence;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;
import moxin.train.recipe.TrainingRecipe;

/// Which documents went into which step of a run. Nothing about it is stored but the run's returns
/// to checkpoints: the order of rows follows from the resolved recipe and the shards, and any step
/// is found without those before it.
public final class DocumentHistory {
  private final RunDirectory run;
  private final Plan plan;
  private final Map<String, Path> named;
  private final long seed;

  private DocumentHistory(RunDirectory run, Plan plan, Map<String, Path> named, long seed) {
    this.run = run;
    this.plan = plan;
    this.named = named;
    this.seed = seed;
  }

  /// The history of the run in `run`.
  ///
  /// @param named the token shards behind the names that the recipe's sources use
  /// @throws BadInputException if there is no run, or the shards are not those that it read
  public static DocumentHistory open(RunDirectory run, Map<String, Path> named) throws IOException {
    if (!Files.isRegularFile(run.recipe())) {
      throw new BadInputException(run.root() + ": no run; recipe.yaml is missing");
    }
    RecipeFile file = RecipeFile.read(run.recipe());
    TrainingRecipe recipe = TrainingRecipe.of(file);
    requireSameShards(run, recipe, named);
    Plan plan = Plan.of(named, recipe, file.seed(), Integer.MAX_VALUE);
    return new DocumentHistory(run, plan, named, file.seed());
  }

  /// How many steps the run has when it is complete.
  public long steps() {
    return plan.steps();
  }

  /// What step `step` read, row by row.
  ///
  /// @param step counted from 1
  /// @throws BadInputException if the run has no such step
  public List<DocumentUse> ofStep(long step) throws IOException {
    Plan.Planned planned = plan.phaseOf(step);
    try (Rows rows = Rows.open(this, planned)) {
      long first = rows.steps().firstRow(step);
      List<DocumentUse> uses = new ArrayList<>();
      for (long row = first; row < first + planned.rowsPerStep(); row++) {
        for (RowSequence.Part part : rows.sequence().parts(row)) {
          uses.add(rows.use(part, step));
        }
      }
      return uses;
    }
  }

  /// Where document `id` was read, in the order of the steps.
  ///
  /// @param id a document's identity as its shard says, or `SOURCE#NUMBER`
  /// @throws BadInputException if no source has such a document
  public List<DocumentUse> ofDocument(String id) throws IOException {
    List<DocumentUse> uses = new ArrayList<>();
    boolean known = false;
    for (Plan.Planned planned : plan.phases()) {
      try (Rows rows = Rows.open(this, planned)) {
        for (int source = 0; source < rows.sources().size(); source++) {
          for (long document : rows.find(source, id)) {
            known = true;
            addUses(uses, rows, source, document);
          }
        }
      }
    }
    if (!known) {
      throw new BadInputException("no source of the run has a document " + id);
    }
    return uses;
  }

  private static void addUses(List<DocumentUse> uses, Rows rows, int source, long document) {
    long end = rows.steps().end();
    for (long row : rows.sequence().rowsWith(source, document, end).toArray()) {
      OptionalLong step = rows.steps().stepOf(row);
      for (RowSequence.Part part : rows.sequence().parts(row)) {
        boolean wanted = part.source() == source && part.document() == document;
        if (wanted && step.isPresent()) {
          uses.add(rows.use(part, step.getAsLong()));
        }
      }
    }
  }

  /// Compares sizes only: the hashes of terabytes are not computed for a question.
  private static void requireSameShards(
      RunDirectory run, TrainingRecipe recipe, Map<String, Path> named) throws IOException {
    List<Path> checkpoints = new CheckpointStore(run.checkpoints()).all();
    if (checkpoints.isEmpty()) {
      return;
    }
    Map<String, Long> sizes = new HashMap<>();
    for (Manifest.Entry entry : Manifest.read(checkpoints.getLast()).inputs()) {
      sizes.put(entry.name(), entry.byteSize());
    }
    for (Phase phase : recipe.phases()) {
      for (Source source : phase.sources()) {
        for (Path file : TokenSource.files(source.label(), Inputs.locate(named, source))) {
          Long size = sizes.get(Inputs.role(phase, source, file));
          if (size == null || size != Files.size(file)) {
            throw new BadInputException(
                file + ": not the shard that the run read as " + source.label());
          }
        }
      }
    }
  }

  /// The rows of one phase.
  private record Rows(
      Plan.Planned planned, StepRows steps, List<TokenSource> sources, RowSequence sequence)
      implements AutoCloseable {

    static Rows open(DocumentHistory history, Plan.Planned planned) throws IOException {
      Phase phase = planned.phase();
      List<TokenSource> sources = Inputs.open(history.named, phase.sources(), Integer.MAX_VALUE);
      StepRows steps = StepRows.read(history.run, planned);
      return new Rows(
          planned, steps, sources, RowSequence.of(phase, sources, planned.seed(history.seed)));
    }

    DocumentUse use(RowSequence.Part part, long step) {
      TokenSource source = sources.get(part.source());
      ShardDocument document = source.document(part.document());
      long rowOfStep = part.row() - steps.firstRow(step);
      int batchSize = planned.phase().batchSize();
      return new DocumentUse(
          step,
          planned.phase().name(),
          rowOfStep / batchSize,
          rowOfStep % batchSize,
          part.position(),
          source.label(),
          part.pass(),
          part.document(),
          document.id(),
          document.source(),
          source.shardOf(part.document()).toString(),
          part.offset(),
          part.length());
    }

    long[] find(int source, String id) {
      TokenSource tokens = sources.get(source);
      String prefix = tokens.label() + "#";
      String number = id.startsWith(prefix) ? id.substring(prefix.length()) : "";
      if (number.matches("[0-9]{1,18}") && Long.parseLong(number) < tokens.documentCount()) {
        return new long[] {Long.parseLong(number)};
      }
      return LongStream.range(0, tokens.documentCount())
          .filter(document -> tokens.document(document).id().equals(id))
          .toArray();
    }

    @Override
    public void close() {
      sources.forEach(TokenSource::close);
    }
  }
}
