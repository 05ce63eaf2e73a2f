package moxin.data.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Tells a file's licence from the words of its header.
public final class Licences {
  /// No header at all.
  public static final String NONE = "NONE";

  /// A header that names no licence known here.
  public static final String NO_ASSERTION = "NOASSERTION";

  private static final Pattern SPDX =
      Pattern.compile("SPDX-License-Identifier:\\s*([A-Za-z0-9.+() -]{2,120})");

  private static final Pattern MENTION =
      Pattern.compile("(?i)licen[sc]e|copyright|all rights reserved|public domain");

  private static final Pattern COMMENT_LINE = Pattern.compile("//|#|--|;|%|\"\"\"");

  /// In this order they are looked for, and in this order they stand in the expression.
  private static final List<Mark> MARKS =
      List.of(
          new Mark("Apache-2.0", "apache license, version 2.0"),
          new Mark("Apache-2.0", "licensed to the apache software foundation"),
          new Mark("EPL-2.0", "eclipse public license v. 2.0"),
          new Mark("MPL-2.0", "mozilla public license, v. 2.0"),
          new Mark("BSD-3-Clause", "redistribution and use in source and binary forms"),
          new Mark("BSD-3-Clause", "distributable under the bsd license"),
          new Mark("CC0-1.0", "creativecommons.org/publicdomain/zero/1.0"),
          new Mark("CC0-1.0", "creativecommons.org/licenses/publicdomain"),
          new Mark("W3C", "w3c software license"),
          new Mark("W3C", "w3c(r) software license"),
          new Mark("W3C", "w3c® software license"),
          new Mark("W3C", "w3c(r) software notice and license"),
          new Mark("Unicode-3.0", "unicode license v3"),
          new Mark("Unicode-DFS-2016", "unicode data files and any associated documentation"),
          new Mark("ICU", "international business machines corporation and others"));

  private Licences() {}

  private record Mark(String licence, String words) {}

  /// A licence and the words that prove it.
  ///
  /// @param expression an SPDX licence expression, `NONE` or `NOASSERTION`
  /// @param evidence the line of the header that names it, or its first line
  public record Finding(String expression, String evidence) {}

  /// The part of a code file of any language where its licence stands, if anywhere: the lines at
  /// the top that are comments; empty if those do not speak of a licence.
  public static String headerOf(String code) {
    StringBuilder header = new StringBuilder();
    boolean block = false;
    for (String line : (Iterable<String>) code.lines().limit(100)::iterator) {
      String stripped = line.strip();
      boolean opens = stripped.startsWith("/*") || stripped.startsWith("<!--");
      if (!block && !opens && !stripped.isEmpty() && !COMMENT_LINE.matcher(stripped).lookingAt()) {
        break;
      }
      block = (block || opens) && !stripped.contains("*/") && !stripped.contains("-->");
      header.append(line).append('\n');
    }
    return mentionsLicence(header.toString()) ? header.toString() : "";
  }

  /// Whether `comment` speaks of licences or copyright at all.
  static boolean mentionsLicence(String comment) {
    return MENTION.matcher(comment).find();
  }

  /// The licence that `header`, the comments at the top of a file, states.
  public static Finding classify(String header) {
    if (header.isBlank()) {
      return new Finding(NONE, "");
    }
    Matcher spdx = SPDX.matcher(header);
    if (spdx.find()) {
      return new Finding(spdx.group(1).strip(), spdx.group().strip());
    }
    String words = words(header);
    List<String> licences = new ArrayList<>();
    List<String> evidence = new ArrayList<>();
    gnu(words, licences, evidence);
    for (Mark mark : MARKS) {
      note(words, mark.words(), mark.licence(), licences, evidence);
    }
    boolean unicode = licences.contains("Unicode-3.0") || licences.contains("Unicode-DFS-2016");
    if (!unicode) {
      note(words, "permission is hereby granted, free of charge", "MIT", licences, evidence);
    }
    return licences.isEmpty()
        ? new Finding(NO_ASSERTION, firstWords(header))
        : new Finding(String.join(" AND ", licences), evidence.getFirst());
  }

  private static void gnu(String words, List<String> licences, List<String> evidence) {
    if (!words.contains("gnu general public license")) {
      return;
    }
    String exception =
        words.contains("\"classpath\" exception") ? " WITH Classpath-exception-2.0" : "";
    String suffix = words.contains("any later version") ? "or-later" : "only";
    String version = words.contains("version 3") ? "3.0" : "2.0";
    note(
        words,
        exception.isEmpty() ? "gnu general public license" : "\"classpath\" exception",
        "GPL-" + version + "-" + suffix + exception,
        licences,
        evidence);
  }

  private static void note(
      String words, String mark, String licence, List<String> licences, List<String> evidence) {
    int at = words.indexOf(mark);
    if (at >= 0 && !licences.contains(licence)) {
      licences.add(licence);
      evidence.add(
          words.substring(Math.max(0, at - 60), Math.min(words.length(), at + 100)).strip());
    }
  }

  /// The header in lower case, on one line, without comment marks.
  private static String words(String header) {
    StringBuilder out = new StringBuilder(header.length());
    for (String line : header.toLowerCase(Locale.ROOT).lines().toList()) {
      String stripped = line.strip();
      int start = 0;
      while (start < stripped.length() && "/*#".indexOf(stripped.charAt(start)) >= 0) {
        start++;
      }
      String content = stripped.substring(start).strip();
      if (!content.isEmpty()) {
        out.append(content).append(' ');
      }
    }
    return out.toString().replaceAll("\\s+", " ");
  }

  private static String firstWords(String header) {
    String words = words(header);
    return words.substring(0, Math.min(words.length(), 160)).strip();
  }
}
