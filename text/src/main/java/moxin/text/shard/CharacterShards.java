package moxin.text.shard;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import moxin.job.AtomicFile;
import moxin.job.ContentHash;

/// Makes character-level shards of one text, as nanoGPT's `prepare.py` does: an id is the position
/// of a character among the text's distinct characters in code point order; the first nine tenths
/// are for training, the rest for validation.
public final class CharacterShards {

  private CharacterShards() {}

  /// Writes `train.npy`, `validation.npy` and `characters.txt`, the characters in the order of
  /// their ids, into `directory`.
  ///
  /// @param text UTF-8, or a gzip file of it where the name ends in `.gz`
  /// @return the number of distinct characters, which is the model's vocabulary
  /// @throws TokenShardFormatException if the text has fewer than two characters or is not UTF-8
  public static int write(Path text, Path directory) throws IOException {
    int[] characters = read(text).codePoints().toArray();
    if (characters.length < 2) {
      throw new TokenShardFormatException(text + ": has no text to train on");
    }
    int[] distinct = Arrays.stream(characters).distinct().sorted().toArray();
    String vocabulary = new String(distinct, 0, distinct.length);
    for (int i = 0; i < characters.length; i++) {
      characters[i] = Arrays.binarySearch(distinct, characters[i]);
    }
    int split = (int) (characters.length * 0.9);
    Files.createDirectories(directory);
    AtomicFile.write(directory.resolve("characters.txt"), vocabulary);
    String hash = ContentHash.of(vocabulary);
    String source = text.getFileName().toString();
    part(directory.resolve("train.npy"), source, hash, characters, 0, split, distinct.length);
    part(
        directory.resolve("validation.npy"),
        source,
        hash,
        characters,
        split,
        characters.length - split,
        distinct.length);
    return distinct.length;
  }

  private static String read(Path text) throws IOException {
    try (InputStream file = Files.newInputStream(text);
        InputStream in = text.toString().endsWith(".gz") ? new GZIPInputStream(file) : file) {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(in.readAllBytes()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new TokenShardFormatException(text + ": not UTF-8 text");
    } catch (ZipException | EOFException e) {
      throw new TokenShardFormatException(text + ": not a whole gzip file");
    }
  }

  private static void part(
      Path file, String source, String hash, int[] ids, int offset, int length, int vocabSize)
      throws IOException {
    try (TokenShardWriter writer = TokenShardWriter.create(file, vocabSize, hash)) {
      writer.add(source, source, "", ids, offset, length);
      writer.commit();
    }
  }
}
