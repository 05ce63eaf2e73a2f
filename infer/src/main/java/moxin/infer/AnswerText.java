package moxin.infer;

import java.util.List;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// Turns the ids of an answer into text, as soon as its characters are whole and no stop string can
/// begin in it any more. Mutable; for one thread.
public final class AnswerText {
  private final TextStream stream;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();

  /// @param promptIds what the answer continues; its text is not part of the answer
  public AnswerText(Tokenizer tokenizer, int[] promptIds, List<String> stopStrings) {
    this.stream = tokenizer.newTextStream();
    this.stops = new StopStrings(stopStrings);
    for (int id : promptIds) {
      stream.next(id);
    }
  }

  /// Takes the next id and returns the text that became certain, often empty.
  public String next(int id) {
    return keep(stops.next(stream.next(id)));
  }

  /// Whether a stop string has appeared; what follows is no longer part of the answer.
  public boolean stopped() {
    return stops.stopped();
  }

  /// Returns what was held back, after the last id.
  public String finish() {
    return stops.stopped() ? "" : keep(stops.next(stream.finish()) + stops.finish());
  }

  /// Everything returned so far.
  public String text() {
    return text.toString();
  }

  private String keep(String delta) {
    text.append(delta);
    return delta;
  }
}
