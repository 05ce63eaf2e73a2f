package moxin.infer.constraint;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Puts JSON numbers into an automaton. Their integer part and their fraction have at most 16
/// digits and their exponent at most two, so that a model cannot write digits for ever.
final class JsonNumbers {
  private static final long MAX = 9_999_999_999_999_999L;
  private static final int MAX_DIGITS = 16;

  /// Larger steps would need as many states.
  private static final int MAX_DIVISOR = 10_000;

  private static final RegexNode REST =
      RegexParser.parseWhole("number", "(?:\\.[0-9]{1,16})?(?:[eE][+-]?[0-9]{1,2})?");
  private static final RegexNode FRACTION = RegexParser.parseWhole("number", "(?:\\.[0-9]{1,16})?");
  private static final RegexNode ZERO_FRACTION =
      RegexParser.parseWhole("number", "(?:\\.0{1,16})?");
  private static final RegexNode POSITIVE_FRACTION =
      RegexParser.parseWhole("number", "\\.0{0,7}[1-9][0-9]{0,7}");

  private final Nfa nfa;
  private final RegexCompiler parts;

  JsonNumbers(Nfa nfa) {
    this.nfa = nfa;
    this.parts = new RegexCompiler(nfa, CharacterEncoding.PLAIN);
  }

  /// The bounds of `schema`, both within ±[#MAX].
  private record Bounds(Bound low, Bound high) {}

  private record Bound(BigDecimal value, boolean exclusive) {
    Bound negated() {
      return new Bound(value.negate(), exclusive);
    }
  }

  /// Integers within the bounds of `schema` that are a multiple of what it names; returns where
  /// they end.
  int integer(SchemaNode schema, int from) {
    OptionalInt divisor = divisor(schema);
    if (divisor.isEmpty()) {
      return bounded(schema, from);
    }
    Nfa within = new Nfa();
    int start = within.newState();
    int end = new JsonNumbers(within).bounded(schema, start);
    Nfa multiples = new Nfa();
    int last = multiples(multiples, divisor.getAsInt());
    ByteClasses classes = ByteClasses.of(List.of(within, multiples));
    return Dfa.of(within, start, end, classes)
        .and(Dfa.of(multiples, 0, last, classes))
        .copyInto(nfa, from);
  }

  /// The whole numbers whose multiples are the integers that `multipleOf` allows: of 2.5 those of
  /// 5.
  private static OptionalInt divisor(SchemaNode schema) {
    Optional<BigDecimal> multiple = schema.number("multipleOf");
    if (multiple.isEmpty()) {
      return OptionalInt.empty();
    }
    BigDecimal step = multiple.get().stripTrailingZeros();
    if (step.signum() <= 0) {
      throw schema.child("multipleOf").bad("expected a number above 0");
    }
    if (step.precision() > MAX_DIGITS || Math.abs(step.scale()) > MAX_DIGITS) {
      throw schema.child("multipleOf").bad("a step of more than 16 digits is not supported");
    }
    // In lowest terms p / q, an integer is a multiple if p divides it.
    BigInteger q = BigInteger.TEN.pow(Math.max(0, step.scale()));
    BigInteger p = step.multiply(new BigDecimal(q)).toBigIntegerExact();
    BigInteger whole = p.divide(p.gcd(q));
    if (whole.compareTo(BigInteger.valueOf(MAX_DIVISOR)) > 0) {
      throw schema
          .child("multipleOf")
          .bad("integers are supported up to multiples of " + MAX_DIVISOR + ", found " + whole);
    }
    return whole.equals(BigInteger.ONE) ? OptionalInt.empty() : OptionalInt.of(whole.intValue());
  }

  /// Decimal digits of the multiples of `divisor`, after an optional minus, from state 0 on: the
  /// state is the remainder so far. Returns where they end.
  private static int multiples(Nfa nfa, int divisor) {
    int start = nfa.newState();
    int[] remainders = new int[divisor];
    for (int i = 0; i < divisor; i++) {
      remainders[i] = nfa.newState();
    }
    nfa.epsilon(start, remainders[0]);
    nfa.bytes(start, '-', '-', remainders[0]);
    for (int i = 0; i < divisor; i++) {
      for (int digit = 0; digit <= 9; digit++) {
        int next = (int) ((10L * i + digit) % divisor);
        nfa.bytes(remainders[i], '0' + digit, '0' + digit, remainders[next]);
      }
    }
    int end = nfa.newState();
    nfa.epsilon(remainders[0], end);
    return end;
  }

  private int bounded(SchemaNode schema, int from) {
    Bounds bounds = bounds(schema);
    long low = whole(bounds.low(), RoundingMode.CEILING, 1);
    long high = whole(bounds.high(), RoundingMode.FLOOR, -1);
    if (low > high) {
      throw schema.bad("no integer is within the bounds");
    }
    int end = nfa.newState();
    if (low < 0) {
      int minus = nfa.literal(from, new byte[] {'-'});
      digits(minus, Math.max(1, -high), -low, end);
    }
    digits(from, Math.max(0, low), high, end);
    return end;
  }

  private static long whole(Bound bound, RoundingMode mode, int step) {
    BigDecimal rounded = bound.value().setScale(0, mode);
    boolean same = rounded.compareTo(bound.value()) == 0;
    return rounded.longValueExact() + (same && bound.exclusive() ? step : 0);
  }

  /// Numbers within the bounds of `schema`; returns where they end.
  int number(SchemaNode schema, int from) {
    if (schema.has("multipleOf")) {
      return steps(schema, from);
    }
    int end = nfa.newState();
    if (!schema.hasAny(SchemaNode.NUMBER)) {
      int start = nfa.literal(from, new byte[] {'-'});
      nfa.epsilon(from, start);
      int integer = nfa.newState();
      digits(start, 0, MAX, integer);
      nfa.epsilon(parts.append(REST, integer), end);
      return end;
    }
    Bounds bounds = bounds(schema);
    for (Bound bound : new Bound[] {bounds.low(), bounds.high()}) {
      if (bound.value().stripTrailingZeros().scale() > 0) {
        throw schema.bad("bounds of numbers must be whole numbers, found " + bound.value());
      }
    }
    Bound zero = new Bound(BigDecimal.ZERO, false);
    int compared = bounds.low().value().compareTo(bounds.high().value());
    if (compared > 0
        || (compared == 0 && (bounds.low().exclusive() || bounds.high().exclusive()))) {
      throw schema.bad("no number is within the bounds");
    }
    if (bounds.high().value().signum() >= 0) {
      boolean positive = bounds.low().value().signum() >= 0;
      magnitudes(from, positive ? bounds.low() : zero, bounds.high(), end);
    }
    if (bounds.low().value().signum() < 0) {
      boolean negative = bounds.high().value().signum() <= 0;
      int minus = nfa.literal(from, new byte[] {'-'});
      magnitudes(minus, negative ? bounds.high().negated() : zero, bounds.low().negated(), end);
    }
    return end;
  }

  /// Multiples of what `schema` names, where that is a whole number, so that they are integers.
  private int steps(SchemaNode schema, int from) {
    BigDecimal step = schema.number("multipleOf").orElseThrow();
    if (step.stripTrailingZeros().scale() > 0) {
      throw schema
          .child("multipleOf")
          .bad("multiples of a fraction are supported for the type 'integer' only");
    }
    return integer(schema, from);
  }

  /// Numbers without sign and exponent from `low` to `high`, whole numbers from 0 on.
  private void magnitudes(int from, Bound low, Bound high, int end) {
    long a = low.value().longValueExact();
    long b = high.value().longValueExact();
    if (a == b) {
      if (!low.exclusive() && !high.exclusive()) {
        fraction(from, a, a, ZERO_FRACTION, end);
      }
      return;
    }
    fraction(from, a, a, low.exclusive() ? POSITIVE_FRACTION : FRACTION, end);
    if (a + 1 < b) {
      fraction(from, a + 1, b - 1, FRACTION, end);
    }
    if (!high.exclusive()) {
      fraction(from, b, b, ZERO_FRACTION, end);
    }
  }

  private void fraction(int from, long low, long high, RegexNode fraction, int end) {
    int integer = nfa.newState();
    digits(from, low, high, integer);
    nfa.epsilon(parts.append(fraction, integer), end);
  }

  /// The decimal forms of the numbers from `low` to `high`, which are not negative.
  private void digits(int from, long low, long high, int to) {
    long first = 0;
    long last = 9;
    while (first <= high) {
      long a = Math.max(first, low);
      long b = Math.min(last, high);
      if (a <= b) {
        SequenceRange.digits(nfa, from, ascii(a), ascii(b), to);
      }
      first = last + 1;
      last = last * 10 + 9;
    }
  }

  private static byte[] ascii(long value) {
    return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
  }

  private static Bounds bounds(SchemaNode schema) {
    Bound max = new Bound(BigDecimal.valueOf(MAX), false);
    Bound low =
        tighter(
            schema.number("minimum").map(value -> new Bound(value, false)),
            schema.number("exclusiveMinimum").map(value -> new Bound(value, true)),
            max.negated(),
            1);
    Bound high =
        tighter(
            schema.number("maximum").map(value -> new Bound(value, false)),
            schema.number("exclusiveMaximum").map(value -> new Bound(value, true)),
            max,
            -1);
    if (low.value().compareTo(max.value()) > 0
        || high.value().compareTo(max.value().negate()) < 0) {
      throw schema.bad("bounds beyond 16 digits leave no number");
    }
    return new Bounds(low, high);
  }

  /// The tightest bound; `direction` is 1 where larger is tighter.
  private static Bound tighter(
      Optional<Bound> inclusive, Optional<Bound> exclusive, Bound widest, int direction) {
    Bound tightest = widest;
    for (Optional<Bound> bound : List.of(inclusive, exclusive)) {
      if (bound.isPresent()
          && direction * Integer.signum(bound.get().value().compareTo(tightest.value()))
              >= (bound.get().exclusive() ? 0 : 1)) {
        tightest = bound.get();
      }
    }
    return tightest;
  }
}
