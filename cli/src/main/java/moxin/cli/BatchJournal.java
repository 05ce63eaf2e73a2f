package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;

/// Answers in the order in which they were finished, kept beside the output until all are there, so
/// that a run that was stopped or killed goes on where it was. Thread-safe.
///
/// The first line says which run it is of; each other one is `{"prompt": n, "answer": {…}}`. A last
/// line that a kill cut off is dropped.
final class BatchJournal implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String SUFFIX = ".unfinished";

  private final Path output;
  private final Path file;
  private final FileChannel channel;
  private final Map<Integer, Entry> entries = new HashMap<>();
  private long end;
  private int failed;

  private BatchJournal(Path output, Path file, FileChannel channel) {
    this.output = output;
    this.file = file;
    this.channel = channel;
  }

  /// Where a line is in the file.
  private record Entry(long offset, int length) {}

  /// Opens the journal of `output`, with the answers of an earlier run.
  ///
  /// @param run what makes two runs the same
  /// @throws BadInputException if the output exists, or the journal is of another run
  static BatchJournal open(Path output, String run) throws IOException {
    if (Files.exists(output)) {
      throw new BadInputException(output + " exists already; name another file or delete it");
    }
    Path absolute = output.toAbsolutePath();
    Path parent = absolute.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Path file = absolute.resolveSibling(absolute.getFileName() + SUFFIX);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    BatchJournal journal = new BatchJournal(output, file, channel);
    boolean usable = false;
    try {
      journal.read(run);
      usable = true;
      return journal;
    } finally {
      if (!usable) {
        channel.close();
      }
    }
  }

  private void read(String run) throws IOException {
    ObjectNode header = JSON.createObjectNode().put("run", run);
    if (channel.size() > 0) {
      try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
        JsonNode first = next(in);
        if (first == null || !header.equals(first)) {
          throw new BadInputException(
              file
                  + " is of another run (input, model or options differ); delete it or name another"
                  + " --output");
        }
        for (JsonNode line = next(in); line != null; line = next(in)) {
          add(line.path("prompt").asInt(), line.path("answer"), end, in.getFilePointer());
        }
      }
      channel.truncate(end);
    }
    channel.position(end);
    if (end == 0) {
      write(header);
    }
  }

  /// The next whole line; null at the end. Moves [#end] behind the line before.
  private @Nullable JsonNode next(RandomAccessFile in) throws IOException {
    end = in.getFilePointer();
    String latin = in.readLine();
    if (latin == null || in.getFilePointer() - end == latin.length()) {
      return null;
    }
    try {
      return JSON.readTree(latin.getBytes(StandardCharsets.ISO_8859_1));
    } catch (JsonProcessingException e) {
      throw new BadInputException(file + ": byte " + end + ": not JSON; delete the file", e);
    }
  }

  private void add(int prompt, JsonNode answer, long from, long to) {
    entries.put(prompt, new Entry(from, Math.toIntExact(to - from)));
    failed += answer.has("error") ? 1 : 0;
  }

  /// Whether prompt `prompt`, from 0, has its answer.
  synchronized boolean has(int prompt) {
    return entries.containsKey(prompt);
  }

  /// How many answers there are.
  synchronized int size() {
    return entries.size();
  }

  /// How many of them are errors.
  synchronized int failed() {
    return failed;
  }

  /// Keeps the answer to a prompt; from here on a kill does not lose it.
  synchronized void put(int prompt, ObjectNode answer) throws IOException {
    ObjectNode line = JSON.createObjectNode().put("prompt", prompt);
    line.set("answer", answer);
    long from = end;
    write(line);
    add(prompt, answer, from, end);
  }

  private void write(ObjectNode line) throws IOException {
    writeLine(channel, line);
    end = channel.position();
  }

  private static void writeLine(FileChannel to, JsonNode line) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      to.write(bytes);
    }
  }

  /// Writes the answers to prompts 0 to `count` − 1 to the output, in their order, and removes the
  /// journal.
  synchronized void finish(int count) throws IOException {
    AtomicFile.write(
        output,
        target -> {
          for (int prompt = 0; prompt < count; prompt++) {
            writeLine(target, answer(prompt));
          }
        });
    channel.close();
    Files.delete(file);
  }

  private JsonNode answer(int prompt) throws IOException {
    Entry entry = entries.get(prompt);
    if (entry == null) {
      throw new IllegalStateException("prompt " + prompt + " has no answer");
    }
    ByteBuffer bytes = ByteBuffer.allocate(entry.length());
    while (bytes.hasRemaining() && channel.read(bytes, entry.offset() + bytes.position()) >= 0) {}
    return JSON.readTree(bytes.array()).path("answer");
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
