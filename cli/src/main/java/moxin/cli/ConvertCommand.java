package moxin.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.gguf.ImportanceMatrix;
import moxin.model.gguf.ModelConversion;
import moxin.model.gguf.QuantisationMix;
import moxin.text.sentencepiece.SentencePieceModel;
import moxin.text.sentencepiece.TokenizerFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin convert`.
@Command(
    name = "convert",
    description = {
      "Convert a model between a Hugging Face directory and a GGUF file, quantising it if asked.",
      "TO is a GGUF file if it ends in .gguf, else a directory."
    },
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  private static final String SUFFIX = ".gguf";
  private static final String KIND = "converted model";

  @Parameters(index = "0", paramLabel = "FROM", description = "a model directory or a GGUF file")
  private Path from = Path.of("model");

  @Parameters(index = "1", paramLabel = "TO", description = "what to write")
  private Path to = Path.of("model.gguf");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description =
          "${COMPLETION-CANDIDATES}, in any case; default: that of FROM, or bf16 if it is quantised")
  private Optional<QuantisationMix> type = Optional.empty();

  @Option(
      names = "--imatrix",
      paramLabel = "FILE",
      description = "importance of the inputs, as llama-imatrix measures it")
  private Optional<Path> imatrix = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "threads that convert rows; default: all processors")
  private int threads;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    boolean toGguf = to.toString().toLowerCase(Locale.ROOT).endsWith(SUFFIX);
    requireSense(toGguf);
    Progress progress = TerminalProgress.onStandardError();
    try (ConversionSource source = ConversionSource.open(from)) {
      QuantisationMix mix = type.orElseGet(source::mix);
      if (source.isQuantised() && mix.type().isQuantised()) {
        progress.note("moxin: " + from + " is quantised already; quantising it again loses more");
      }
      if (toGguf) {
        writeGguf(source, mix, progress);
      } else {
        writeDirectory(source, mix, progress);
      }
    }
    spec.commandLine().getOut().println(to);
    spec.commandLine().getOut().flush();
    return 0;
  }

  private void requireSense(boolean toGguf) throws IOException {
    if (!toGguf && Files.isDirectory(from)) {
      throw new BadInputException(
          from + " and " + to + " are both directories; one of them must be a " + SUFFIX + " file");
    }
    if (toGguf && Files.isDirectory(to)) {
      throw new BadInputException(to + " is a directory, expected a file to write");
    }
    if (Files.exists(from) && Files.exists(to) && Files.isSameFile(from, to)) {
      throw new BadInputException(from + " cannot be converted onto itself");
    }
    if (!toGguf && Files.isRegularFile(to)) {
      throw new BadInputException(to + " is a file, expected a directory or a name in " + SUFFIX);
    }
    if (imatrix.isPresent() && !toGguf) {
      throw new BadInputException("--imatrix is for quantising, and directories hold no quants");
    }
  }

  private void writeGguf(ConversionSource source, QuantisationMix mix, Progress progress)
      throws IOException {
    Optional<ImportanceMatrix> importance =
        imatrix.isPresent() ? Optional.of(ImportanceMatrix.read(imatrix.get())) : Optional.empty();
    conversion(source, progress).toGguf(to, source.name(), source.vocabulary(), mix, importance);
    Manifest.writeBeside(to, KIND, recipe(mix), inputs());
  }

  private void writeDirectory(ConversionSource source, QuantisationMix mix, Progress progress)
      throws IOException {
    DType dtype = mix.type();
    if (dtype.isQuantised()) {
      throw new BadInputException(
          "--type " + mix + ": directories hold F32, F16 or BF16; name a " + SUFFIX + " file");
    }
    Optional<SentencePieceModel> tokenizer = source.sentencePiece();
    if (tokenizer.isEmpty()) {
      progress.note(
          "moxin: " + from + " has no SentencePiece tokenizer, so that " + to + " will have none");
    }
    Optional<String> template = source.chatTemplate();
    try (AtomicDirectory directory = AtomicDirectory.open(to)) {
      conversion(source, progress).toDirectory(directory.path(), dtype);
      if (tokenizer.isPresent()) {
        TokenizerFiles.write(directory.path(), tokenizer.get());
      }
      if (template.isPresent()) {
        AtomicFile.write(directory.path().resolve(ConversionSource.TEMPLATE), template.get());
      }
      Manifest.write(directory.path(), KIND, recipe(mix), inputs());
      directory.commit();
    }
  }

  private ModelConversion conversion(ConversionSource source, Progress progress) {
    int processors = Runtime.getRuntime().availableProcessors();
    return ModelConversion.of(
        source.checkpoint(), source.config(), threads > 0 ? threads : processors, progress);
  }

  private static ObjectNode recipe(QuantisationMix mix) {
    return JsonNodeFactory.instance.objectNode().put("type", mix.name().toLowerCase(Locale.ROOT));
  }

  private List<Manifest.Entry> inputs() throws IOException {
    List<Manifest.Entry> inputs = new ArrayList<>();
    inputs.add(Manifest.Entry.of("model", from.toRealPath()));
    if (imatrix.isPresent()) {
      inputs.add(Manifest.Entry.of("imatrix", imatrix.get()));
    }
    return inputs;
  }
}
