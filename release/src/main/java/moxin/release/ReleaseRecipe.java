package moxin.release;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What is released under which licence: the section `release` of a recipe, every default resolved.
///
/// The licences are those of what the producer made. Documents that were read keep theirs, which
/// the corpus report found in the files themselves.
///
/// @param name of the release; empty for the run's name
/// @param version of the release
/// @param producer who made it
/// @param code licence of the code; Apache-2.0, the program's own
/// @param weights licence of the weights; CDLA-Permissive-2.0, which the framework lists for data,
///   while Apache-2.0 would be open but listed for code and documents only
/// @param document licence of cards, reports and results; CC-BY-4.0
/// @param datasets whether the prepared documents go into the folder
/// @param paper a research paper, where there is one
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ReleaseRecipe(
    String name,
    String version,
    String producer,
    String code,
    String weights,
    String document,
    Datasets datasets,
    @Nullable String paper) {

  private static final Pattern SPDX_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.+-]{0,63}");
  private static final int LONGEST_LINE = 200;

  public ReleaseRecipe {
    requireLine("name", name);
    requireLine("version", version);
    requireLine("producer", producer);
    requireLicence("code", code);
    requireLicence("weights", weights);
    requireLicence("document", document);
  }

  private static void requireLine(String key, String value) {
    if (value.length() > LONGEST_LINE || value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          key + " must be one line of at most " + LONGEST_LINE + " characters");
    }
  }

  private static void requireLicence(String key, String value) {
    if (!SPDX_ID.matcher(value).matches()) {
      throw new IllegalArgumentException(
          key + " must be an SPDX licence id such as Apache-2.0, found " + value);
    }
  }

  @JsonCreator
  static ReleaseRecipe resolve(
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("version") @Nullable String version,
      @JsonProperty("producer") @Nullable String producer,
      @JsonProperty("code") @Nullable String code,
      @JsonProperty("weights") @Nullable String weights,
      @JsonProperty("document") @Nullable String document,
      @JsonProperty("datasets") @Nullable Datasets datasets,
      @JsonProperty("paper") @Nullable String paper) {
    return new ReleaseRecipe(
        Objects.requireNonNullElse(name, ""),
        Objects.requireNonNullElse(version, "1"),
        Objects.requireNonNullElse(producer, "unnamed producer"),
        Objects.requireNonNullElse(code, "Apache-2.0"),
        Objects.requireNonNullElse(weights, "CDLA-Permissive-2.0"),
        Objects.requireNonNullElse(document, "CC-BY-4.0"),
        Objects.requireNonNullElse(datasets, Datasets.AUTO),
        paper);
  }

  /// The recipe with every setting at its default.
  public static ReleaseRecipe defaults() {
    return resolve(null, null, null, null, null, null, null, null);
  }

  /// Whether the prepared documents are part of the folder or only named by their hashes.
  public enum Datasets {
    /// Part of it if every licence found in them is open.
    AUTO,
    /// Part of it; whoever says so has the right to pass them on.
    INCLUDE,
    /// Named by hash only.
    REFERENCE;

    /// The name in recipes.
    @JsonValue
    public String recipeName() {
      return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    static Datasets parse(String name) {
      for (Datasets value : values()) {
        if (value.recipeName().equals(name)) {
          return value;
        }
      }
      throw new IllegalArgumentException(
          "unknown value " + name + " of datasets; expected auto, include or reference");
    }
  }
}
