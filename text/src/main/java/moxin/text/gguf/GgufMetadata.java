package moxin.text.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// The key-value pairs of a GGUF file, in file order. Immutable.
public final class GgufMetadata {
  private final String origin;
  private final Map<String, GgufValue> values;

  /// Metadata of `values`; `origin` names the file in errors.
  public GgufMetadata(String origin, Map<String, GgufValue> values) {
    this.origin = origin;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /// The file, for messages.
  public String origin() {
    return origin;
  }

  /// All pairs, in file order.
  public Map<String, GgufValue> values() {
    return values;
  }

  /// The string under `key`; empty if the key is absent.
  ///
  /// @throws GgufFormatException if it is no string
  public Optional<String> text(String key) {
    return switch (values.get(key)) {
      case null -> Optional.empty();
      case GgufValue.Text text -> Optional.of(text.value());
      case GgufValue other -> throw wrong(key, other.kind(), "a string");
    };
  }

  /// The truth value under `key`; empty if the key is absent.
  ///
  /// @throws GgufFormatException if it is none
  public Optional<Boolean> flag(String key) {
    return switch (values.get(key)) {
      case null -> Optional.empty();
      case GgufValue.Flag flag -> Optional.of(flag.value());
      case GgufValue other -> throw wrong(key, other.kind(), "a truth value");
    };
  }

  /// The whole number under `key`, of whatever width; empty if the key is absent.
  ///
  /// @throws GgufFormatException if it is none from 0 to 2³¹ − 1
  public OptionalInt integer(String key) {
    return switch (values.get(key)) {
      case null -> OptionalInt.empty();
      case GgufValue.Whole whole when whole.value() >= 0 && whole.value() <= Integer.MAX_VALUE ->
          OptionalInt.of((int) whole.value());
      case GgufValue.Whole whole ->
          throw wrong(key, Long.toString(whole.value()), "a number from 0 to 2147483647");
      case GgufValue other -> throw wrong(key, other.kind(), "a whole number");
    };
  }

  /// The number under `key`, of whatever type; empty if the key is absent. A FLOAT32 gives the
  /// float64 nearest to its shortest decimal form, so that 1e-5 stays 1e-5.
  ///
  /// @throws GgufFormatException if it is no number
  public OptionalDouble number(String key) {
    return switch (values.get(key)) {
      case null -> OptionalDouble.empty();
      case GgufValue.Real real when real.type() == GgufType.FLOAT32 ->
          OptionalDouble.of(Double.parseDouble(Float.toString((float) real.value())));
      case GgufValue.Real real -> OptionalDouble.of(real.value());
      case GgufValue.Whole whole -> OptionalDouble.of((double) whole.value());
      case GgufValue other -> throw wrong(key, other.kind(), "a number");
    };
  }

  /// The value under `key`; empty if the key is absent.
  public Optional<GgufValue> value(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /// An exception about the value under `key`.
  public GgufFormatException wrong(String key, @Nullable String found, String expected) {
    return new GgufFormatException(
        origin
            + ": "
            + GgufReader.shown(key)
            + ": found "
            + (found == null ? "nothing" : GgufReader.shown(found))
            + ", expected "
            + expected);
  }
}
