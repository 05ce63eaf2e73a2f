package moxin.data.source;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A question made of a documented method: which description belongs to it? The same text serves as
/// capability data for training and, from held-out files, as an evaluation task.
///
/// @param signature the method without modifiers, such as `int indexOf(Object o)`
/// @param description the first sentence of its Javadoc
public record JavadocQuestion(String signature, String description) {
  private static final String FRAME = "Question: Which description belongs to this method?\n";
  private static final String ANSWER = "\nAnswer: ";
  private static final int SHORTEST = 20;
  private static final int LONGEST = 250;

  /// What a model is given.
  public String prompt() {
    return FRAME + signature + ANSWER.stripTrailing();
  }

  /// The whole document: question and answer.
  public String text() {
    return FRAME + signature + ANSWER + description + "\n";
  }

  /// The question that `text` holds, as [#text] writes it; empty if it holds none.
  public static java.util.Optional<JavadocQuestion> parse(String text) {
    int answer = text.indexOf(ANSWER);
    if (!text.startsWith(FRAME) || answer < FRAME.length() || !text.endsWith("\n")) {
      return java.util.Optional.empty();
    }
    return java.util.Optional.of(
        new JavadocQuestion(
            text.substring(FRAME.length(), answer),
            text.substring(answer + ANSWER.length(), text.length() - 1)));
  }

  /// The questions of a file, each description once: methods whose description is a proper sentence
  /// of between 20 and 250 characters.
  public static List<JavadocQuestion> of(JavaSource file) {
    List<JavadocQuestion> questions = new ArrayList<>();
    Set<String> descriptions = new HashSet<>();
    for (JavaSource.Comment comment : file.comments()) {
      String signature = Declaration.withoutModifiers(comment.declaration());
      if (Declaration.isMethod(signature) && signature.length() <= LONGEST) {
        String description = comment.text().firstSentence();
        if (description.length() >= SHORTEST
            && description.length() <= LONGEST
            && Character.isLetter(description.codePointAt(0))
            && description.endsWith(".")
            && descriptions.add(description)) {
          questions.add(new JavadocQuestion(signature, description));
        }
      }
    }
    return questions;
  }
}
