package moxin.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import moxin.data.Document;
import moxin.data.Documents;
import moxin.data.Split;
import moxin.job.AtomicDirectory;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.text.sentencepiece.BpeTrainer;
import moxin.text.sentencepiece.TokenizerRecipe;
import moxin.text.sentencepiece.TrainedTokenizer;

/// Trains a vocabulary on the training documents of a corpus, all sources in the order of their
/// names.
final class VocabularyTraining {

  private VocabularyTraining() {}

  /// Writes `tokenizer.model`, `tokenizer.json` and a manifest into `out`, which appears when it is
  /// complete.
  static void run(Path corpus, TokenizerRecipe recipe, Path out, Progress progress)
      throws IOException {
    TrainedTokenizer trained;
    try (Stream<String> texts = texts(corpus)) {
      trained = BpeTrainer.train(recipe, texts.iterator(), progress);
    }
    try (AtomicDirectory directory = AtomicDirectory.open(out)) {
      trained.writeTo(directory.path());
      Manifest.write(
          directory.path(),
          "tokenizer",
          RecipeFile.parse("tokenizer", "{}").with("tokenizer", recipe).tree(),
          List.of(Manifest.Entry.of("documents", corpus.resolve(Documents.FOLDER))));
      directory.commit();
    }
  }

  private static Stream<String> texts(Path corpus) throws IOException {
    Stream<String> all = Stream.empty();
    for (String source : Documents.sources(corpus, Split.TRAIN)) {
      all = Stream.concat(all, Documents.read(corpus, Split.TRAIN, source).map(Document::text));
    }
    return all;
  }
}
