package moxin.eval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import moxin.text.Tokenizer;

/// Text to [TokenSpan]s by the rules of lm-evaluation-harness (`TemplateLM._encode_pair`,
/// `get_rolling_token_windows` with a context of one, `make_disjoint_window`), with the
/// beginning-of-sequence id first wherever the tokenizer has one.
final class SpanEncoder {
  private final Tokenizer tokenizer;
  private final int maxLength;

  /// @param maxLength the most ids the model is fed at once
  SpanEncoder(Tokenizer tokenizer, int maxLength) {
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
  }

  /// The ids of `continuation` after `context`: those of both together without those of the context
  /// alone. White space at the context's end counts to the continuation. What is too long loses its
  /// beginning.
  TokenSpan pair(String context, String continuation) {
    int stripped = Whitespace.strippedLength(context);
    String moved = context.substring(stripped) + continuation;
    int[] contextIds = tokenizer.encode(context.substring(0, stripped));
    int[] wholeIds =
        stripped == 0
            ? tokenizer.encode(moved)
            : tokenizer.encode(context.substring(0, stripped) + moved);
    int contextLength = stripped == 0 ? 0 : Math.min(contextIds.length, wholeIds.length);
    int[] head = contextLength == 0 ? new int[] {prefix()} : beginning();
    int[] kept = Arrays.copyOf(contextIds, contextLength);
    int[] continuationIds = Arrays.copyOfRange(wholeIds, contextLength, wholeIds.length);
    return truncated(concat(head, concat(kept, continuationIds)), continuationIds.length);
  }

  /// Windows that together score every id of `text` exactly once.
  List<TokenSpan> rolling(String text) {
    return windows(tokenizer.encode(text), prefix(), maxLength);
  }

  /// The ids of `context` for generation, leaving room for `reserved` more.
  int[] prompt(String context, int reserved) {
    int[] ids = concat(beginning(), tokenizer.encode(context));
    int[] whole = ids.length == 0 ? new int[] {prefix()} : ids;
    int kept = Math.min(whole.length, Math.max(1, maxLength - reserved));
    return Arrays.copyOfRange(whole, whole.length - kept, whole.length);
  }

  /// The first window predicts `maxLength` ids from `prefix` on; each later one is fed the
  /// `maxLength` ids before its last, of which it scores those not scored yet.
  static List<TokenSpan> windows(int[] ids, int prefix, int maxLength) {
    List<TokenSpan> windows = new ArrayList<>();
    if (ids.length == 0) {
      return windows;
    }
    int first = Math.min(maxLength, ids.length);
    windows.add(
        new TokenSpan(concat(new int[] {prefix}, Arrays.copyOfRange(ids, 0, first)), first));
    for (int done = first; done < ids.length; ) {
      int scored = Math.min(ids.length - done, maxLength);
      int end = done + scored;
      windows.add(new TokenSpan(Arrays.copyOfRange(ids, end - maxLength - 1, end), scored));
      done = end;
    }
    return windows;
  }

  private TokenSpan truncated(int[] tokens, int scored) {
    int kept = Math.min(tokens.length, maxLength + 1);
    int[] last = Arrays.copyOfRange(tokens, tokens.length - kept, tokens.length);
    return new TokenSpan(last, Math.min(scored, kept - 1));
  }

  private int[] beginning() {
    OptionalInt begin = tokenizer.beginOfSequence();
    return begin.isPresent() ? new int[] {begin.getAsInt()} : new int[0];
  }

  private int prefix() {
    OptionalInt begin = tokenizer.beginOfSequence();
    OptionalInt prefix = begin.isPresent() ? begin : tokenizer.endOfSequence();
    return prefix.orElseThrow(
        () ->
            new IllegalArgumentException(
                "the vocabulary has neither a beginning-of-sequence nor an end-of-sequence id to"
                    + " stand before a text"));
  }

  private static int[] concat(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
