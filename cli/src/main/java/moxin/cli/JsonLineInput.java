package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;

/// JSON lines read one by one, so that a command can answer each as it comes. Blank lines are
/// passed over; what is not UTF-8 or not JSON is an error with its line.
final class JsonLineInput {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final BufferedReader in;
  private long number;

  JsonLineInput(InputStream in) {
    this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
  }

  /// The lines of standard input.
  static JsonLineInput standard() {
    return new JsonLineInput(System.in);
  }

  /// The next line's value; null at the end.
  @Nullable JsonNode next() throws IOException {
    for (String line = line(); line != null; line = line()) {
      if (!line.isBlank()) {
        return parse(line);
      }
    }
    return null;
  }

  /// An error about the line that was read last.
  BadInputException wrong(String message) {
    return new BadInputException(place() + message);
  }

  private @Nullable String line() throws IOException {
    number++;
    try {
      return in.readLine();
    } catch (CharacterCodingException e) {
      throw new BadInputException("standard input, near line " + number + ": not UTF-8", e);
    }
  }

  private JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new BadInputException(place() + "not JSON", e);
    }
  }

  private String place() {
    return "standard input, line " + number + ": ";
  }
}
