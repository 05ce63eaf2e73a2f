package moxin.text.sentencepiece;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;

/// Encoding speed on one thread, line by line over natural text, beside that of Debian's
/// `spm_encode` on the same lines in the same run; and the time of long texts in one call.
///
/// Ours is the best of several passes over the lines in memory; `spm_encode` is a whole process, so
/// its input is repeated until loading the model does not matter. Run `main`.
final class TokenizerBenchmark {
  private static final int REPEATS = 4;

  private TokenizerBenchmark() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path model = SharedData.require("tokenizer/mistral/mistral_instruct_tokenizer_240323.model.v3");
    Tokenizer tokenizer = SentencePieceTokenizer.load(model);
    for (String name :
        List.of(
            "tokenizer/sentencepiece/botchan.txt",
            "corpora/wiki_demo.txt.gz",
            "corpora/tinyshakespeare.txt.gz")) {
      List<String> lines = read(SharedData.require(name)).lines().toList();
      long bytes = 0;
      for (String line : lines) {
        bytes += line.getBytes(StandardCharsets.UTF_8).length + 1;
      }
      double ours = ours(tokenizer, lines, bytes);
      double theirs = theirs(model, lines, bytes);
      System.out.printf(
          Locale.ROOT,
          "%-40s %8.1f MB/s, spm_encode %5.2f MB/s, %.1f times%n",
          name,
          ours,
          theirs,
          ours / theirs);
    }
    int length = 16_000_000;
    StringBuilder letters = new StringBuilder();
    java.util.Random random = new java.util.Random(1);
    while (letters.length() < length) {
      int codePoint = random.nextInt(0x20000);
      if (codePoint < 0xD800 || codePoint > 0xDFFF) {
        letters.appendCodePoint(codePoint);
      }
    }
    String prose = read(SharedData.require("tokenizer/sentencepiece/botchan.txt"));
    for (String text :
        List.of(
            "a".repeat(length),
            " ".repeat(length),
            "😀".repeat(length / 2),
            letters.toString(),
            prose.repeat(length / prose.length()))) {
      for (int part : new int[] {1 << 20, 1 << 22, text.length()}) {
        long start = System.nanoTime();
        int ids = tokenizer.encode(text.substring(0, Math.min(part, text.length()))).length;
        System.out.printf(
            Locale.ROOT,
            "'%s' %9d chars %9d ids %8.0f ms%n",
            text.codePointAt(0) < 32 ? "?" : Character.toString(text.codePointAt(0)),
            part,
            ids,
            (System.nanoTime() - start) / 1e6);
      }
    }
  }

  private static double ours(Tokenizer tokenizer, List<String> lines, long bytes) {
    double best = 0;
    for (int pass = 0; pass < 15; pass++) {
      long start = System.nanoTime();
      long ids = 0;
      for (String line : lines) {
        ids += tokenizer.encode(line).length;
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      if (ids > 0) {
        best = Math.max(best, bytes / seconds / 1e6);
      }
      if (pass == 0) {
        System.out.printf(Locale.ROOT, "first pass, cold: %.1f MB/s%n", bytes / seconds / 1e6);
      }
    }
    return best;
  }

  private static double theirs(Path model, List<String> lines, long bytes)
      throws IOException, InterruptedException {
    Path input = Files.createTempFile("bench", ".txt");
    Path output = Files.createTempFile("bench", ".ids");
    try {
      List<String> repeated = new ArrayList<>();
      for (int i = 0; i < REPEATS; i++) {
        repeated.addAll(lines);
      }
      Files.write(input, repeated);
      long start = System.nanoTime();
      new ProcessBuilder(
              "spm_encode",
              "--model=" + model,
              "--output_format=id",
              "--input=" + input,
              "--output=" + output)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
      return REPEATS * bytes / ((System.nanoTime() - start) / 1e9) / 1e6;
    } finally {
      Files.delete(input);
      Files.delete(output);
    }
  }

  private static String read(Path file) throws IOException {
    try (InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
