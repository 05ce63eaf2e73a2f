package moxin.text.sentencepiece;

/// Turns prepared text into ids. It is cut wherever the vocabulary has no piece that contains the
/// two characters side by side; each cut is merged alone, and remembered. Mutable, for one thread;
/// what it remembers never changes a result.
final class BpeEncoder {
  private final MergeTable table;
  private final SymbolMerger merger;
  private final SegmentCache cache = new SegmentCache();

  BpeEncoder(MergeTable table) {
    this.table = table;
    this.merger = new SymbolMerger(table);
  }

  int[] encode(char[] text) {
    IntList out = new IntList(text.length / 3 + 8);
    if (table.hasUnused()) {
      encodeWhole(text, out);
    } else if (table.userDefined().isEmpty()) {
      encode(text, 0, text.length, out);
    } else {
      encodeAroundUserDefined(text, out);
    }
    if (!table.byteFallback()) {
      out.collapseRuns(table.unknown());
    }
    return out.toArray();
  }

  private void encodeAroundUserDefined(char[] text, IntList out) {
    int plain = 0;
    int i = 0;
    while (i < text.length) {
      PrefixMatcher.Entry entry = table.userDefined().match(text, i, text.length);
      if (entry == null) {
        i += charCount(text, i);
      } else {
        encode(text, plain, i, out);
        table.emit(MergeTable.FROZEN - entry.id(), out);
        i += entry.text().length;
        plain = i;
      }
    }
    encode(text, plain, text.length, out);
  }

  /// Pieces that are taken apart again remember how they were last put together anywhere in the
  /// text, so the text cannot be cut.
  private void encodeWhole(char[] text, IntList out) {
    if (text.length == 0) {
      return;
    }
    merger.begin();
    int i = 0;
    while (i < text.length) {
      PrefixMatcher.Entry entry = table.userDefined().match(text, i, text.length);
      if (entry == null) {
        int codePoint = Character.codePointAt(text, i);
        merger.add(table.symbol(codePoint));
        i += Character.charCount(codePoint);
      } else {
        merger.add(MergeTable.FROZEN - entry.id());
        i += entry.text().length;
      }
    }
    merger.finish(out);
  }

  private void encode(char[] text, int from, int to, IntList out) {
    boolean[] neighbours = table.asciiNeighbours();
    int start = from;
    while (start < to) {
      int last = text[start];
      int end = start + 1;
      int hash = last * 0x9E3779B1;
      while (end < to) {
        int c = text[end];
        if ((last | c) < 128) {
          if (!neighbours[(last << 7) | c]) {
            break;
          }
        } else if (isCut(text, end, to)) {
          break;
        }
        hash = (hash ^ c) * 0x9E3779B1;
        last = c;
        end++;
      }
      segment(text, start, end, hash ^ (hash >>> 15), out);
      start = end;
    }
  }

  private boolean isCut(char[] text, int at, int to) {
    if (Character.isLowSurrogate(text[at])) {
      return false;
    }
    int before = Character.codePointBefore(text, at);
    return !table.areNeighbours(before, Character.codePointAt(text, at, to));
  }

  private void segment(char[] text, int start, int end, int hash, IntList out) {
    int length = end - start;
    if (length == 1 || (length == 2 && Character.isHighSurrogate(text[start]))) {
      table.emit(table.symbol(Character.codePointAt(text, start, end)), out);
      return;
    }
    boolean remembered = length <= SegmentCache.MAX_CHARS;
    if (remembered && cache.append(text, start, end, hash, out)) {
      return;
    }
    int idStart = out.size();
    merger.begin();
    int i = start;
    while (i < end) {
      int codePoint = Character.codePointAt(text, i, end);
      merger.add(table.symbol(codePoint));
      i += Character.charCount(codePoint);
    }
    merger.finish(out);
    if (remembered) {
      cache.put(text, start, end, hash, out, idStart);
    }
  }

  private static int charCount(char[] text, int at) {
    return Character.isHighSurrogate(text[at]) ? 2 : 1;
  }
}
