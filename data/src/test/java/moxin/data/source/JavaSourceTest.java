package moxin.data.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

final class JavaSourceTest {
  private static final String FILE =
      """
      /*
       * Copyright. Under the terms of the GNU General Public License version 2 only;
       * subject to the "Classpath" exception.
       */
      package a;

      /**
       * A list of <b>things</b> &amp; more. Second sentence.
       *
       * <p>See {@link java.util.List#of(Object) lists} and {@code a < b}.
       *
       * @param <T> the type
       * @see Other
       */
      @Deprecated(since = "1")
      public class Things<T> {
        // an ordinary comment stays
        String notAComment = "/** not Javadoc */ // neither";

        /**
         * Returns the position of {@code o}, or -1.
         *
         * @param o what to find
         * @return its position
         * @throws NullPointerException if {@code o} is null
         */
        @Override
        public final int indexOf(Object o) throws NullPointerException {
          return 0;
        }

        /// Says [hello][#hello] to the _world_ of {@code x}.
        ///
        /// More.
        void hello() {}
      }
      """;

  @Test
  void codeLosesHeaderAndJavadocAndKeepsOtherCommentsAndLiterals() {
    String code = JavaSource.parse(FILE).code();
    assertThat(code)
        .startsWith("package a;\n")
        .contains("// an ordinary comment stays", "\"/** not Javadoc */ // neither\"")
        .doesNotContain("Copyright", "Returns the position", "///");
  }

  @Test
  void javadocIsRenderedAsPlainText() {
    JavaSource.Comment comment = JavaSource.parse(FILE).comments().getFirst();
    assertThat(comment.declaration()).isEqualTo("public class Things<T>");
    assertThat(comment.text().description())
        .isEqualTo("A list of things & more. Second sentence.\n\nSee lists and a < b.");
    assertThat(comment.text().firstSentence()).isEqualTo("A list of things & more.");
    assertThat(comment.text().tags()).containsExactly("Parameter <T>: the type");
  }

  @Test
  void blockTagsBecomeSentences() {
    assertThat(JavaSource.parse(FILE).comments().get(1).text().tags())
        .containsExactly(
            "Parameter o: what to find",
            "Returns: its position",
            "Throws NullPointerException: if o is null");
  }

  @Test
  void markdownCommentsAreRead() {
    JavaSource.Comment comment = JavaSource.parse(FILE).comments().get(2);
    assertThat(comment.declaration()).isEqualTo("void hello()");
    assertThat(comment.text().description()).isEqualTo("Says hello to the _world_ of x.\n\nMore.");
  }

  @Test
  void questionsPairMethodsWithTheirFirstSentence() {
    List<JavadocQuestion> questions = JavadocQuestion.of(JavaSource.parse(FILE));
    assertThat(questions)
        .contains(
            new JavadocQuestion("int indexOf(Object o)", "Returns the position of o, or -1."));
    assertThat(questions.getFirst().text())
        .isEqualTo(
            "Question: Which description belongs to this method?\nint indexOf(Object o)\nAnswer:"
                + " Returns the position of o, or -1.\n");
    assertThat(JavadocQuestion.parse(questions.getFirst().text())).contains(questions.getFirst());
  }

  @Test
  void licencesAreToldFromTheirWords() {
    assertThat(licence(JavaSource.parse(FILE).header()))
        .isEqualTo("GPL-2.0-only WITH Classpath-exception-2.0");
    assertThat(licence("// SPDX-License-Identifier: MIT\n")).isEqualTo("MIT");
    assertThat(licence("/* Licensed under the\n * Apache License, Version 2.0 */"))
        .isEqualTo("Apache-2.0");
    assertThat(licence("/* Redistribution and use in source\n * and binary forms, with */"))
        .isEqualTo("BSD-3-Clause");
    assertThat(licence("/* This software is distributable under the BSD license. */"))
        .isEqualTo("BSD-3-Clause");
    assertThat(
            licence(
                "/* GNU General Public License version 2 only */\n"
                    + "/* Permission is hereby granted, free of charge, to any person */"))
        .isEqualTo("GPL-2.0-only AND MIT");
    assertThat(licence("")).isEqualTo("NONE");
    assertThat(licence("/* generated */")).isEqualTo("NOASSERTION");
  }

  @Test
  @Seeded
  void anyTextIsParsedWithoutFailing(Random random) {
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder(FILE);
      for (int j = 0; j < 1 + random.nextInt(8); j++) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.setLength(Math.max(1, at));
          case 1 -> text.insert(at, "/*\"'{@<&[\\\n*}>".charAt(random.nextInt(14)));
          default -> text.deleteCharAt(at).append('x');
        }
      }
      JavaSource source = JavaSource.parse(text.toString());
      assertThat(JavadocQuestion.of(source)).isNotNull();
    }
  }

  private static String licence(String header) {
    return Licences.classify(header).expression();
  }
}
