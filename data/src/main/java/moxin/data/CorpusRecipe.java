package moxin.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How a corpus is made: the section `data` of a recipe, every default resolved.
///
/// @param sources what is read, each under a name that the training phases refer to
/// @param minimumCharacters a document with fewer characters, not counting ASCII punctuation,
///   spaces, newlines and tabs, is dropped (SlimPajama's rule and figure)
/// @param nearDuplicates how near-duplicates are found
/// @param validationFraction the part of all documents that is held out, by hash
/// @param maxDocumentBytes a longer document is dropped; plain text and Markdown files are cut
///   instead
/// @param sectionBytes the size at which plain text and Markdown files are cut, at a blank line
///   where there is one
/// @param seed orders the documents and chooses the held-out ones
/// @param limits how much is read at most
public record CorpusRecipe(
    List<Source> sources,
    int minimumCharacters,
    NearDuplicates nearDuplicates,
    double validationFraction,
    int maxDocumentBytes,
    int sectionBytes,
    long seed,
    Limits limits)
    implements Serializable {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

  public CorpusRecipe {
    sources = List.copyOf(sources);
    require(!sources.isEmpty(), "sources must name at least one source");
    Set<String> names = new HashSet<>();
    for (Source source : sources) {
      require(names.add(source.name()), "two sources are called " + source.name());
    }
    require(minimumCharacters >= 0, "minimumCharacters must not be negative");
    require(
        validationFraction >= 0 && validationFraction <= 0.5,
        "validationFraction must be between 0 and 0.5, found " + validationFraction);
    require(maxDocumentBytes >= 1024, "maxDocumentBytes must be at least 1024");
    require(
        sectionBytes >= 512 && sectionBytes <= maxDocumentBytes,
        "sectionBytes must be between 512 and maxDocumentBytes");
  }

  @JsonCreator
  static CorpusRecipe resolve(
      @JsonProperty("sources") @Nullable List<Source> sources,
      @JsonProperty("minimumCharacters") @Nullable Integer minimumCharacters,
      @JsonProperty("nearDuplicates") @Nullable NearDuplicates nearDuplicates,
      @JsonProperty("validationFraction") @Nullable Double validationFraction,
      @JsonProperty("maxDocumentBytes") @Nullable Integer maxDocumentBytes,
      @JsonProperty("sectionBytes") @Nullable Integer sectionBytes,
      @JsonProperty("seed") @Nullable Long seed,
      @JsonProperty("limits") @Nullable Limits limits) {
    return new CorpusRecipe(
        Objects.requireNonNullElse(sources, List.of()),
        Objects.requireNonNullElse(minimumCharacters, 200),
        nearDuplicates == null ? NearDuplicates.slimPajama() : nearDuplicates,
        Objects.requireNonNullElse(validationFraction, 0.02),
        Objects.requireNonNullElse(maxDocumentBytes, 1 << 20),
        Objects.requireNonNullElse(sectionBytes, 1 << 16),
        Objects.requireNonNullElse(seed, 1L),
        limits == null ? Limits.none() : limits);
  }

  /// The recipe with every setting at its default.
  public static CorpusRecipe of(List<Source> sources) {
    return resolve(sources, null, null, null, null, null, null, null);
  }

  /// The three sources that the running JDK's `lib/src.zip` gives: `code`, `prose`, `capability`.
  public static CorpusRecipe ofRunningJdk() {
    return of(
        List.of(
            new Source("code", Kind.JDK_CODE, null, List.of(), List.of()),
            new Source("prose", Kind.JDK_JAVADOC, null, List.of(), List.of()),
            new Source("capability", Kind.JDK_QUESTIONS, null, List.of(), List.of())));
  }

  /// One source `corpus` that reads whatever a folder or file holds.
  public static CorpusRecipe ofFiles(Path path) {
    return of(List.of(new Source("corpus", Kind.FILES, path.toString(), List.of(), List.of())));
  }

  /// This recipe reading no more than `limits` allow.
  public CorpusRecipe withLimits(Limits limits) {
    return new CorpusRecipe(
        sources,
        minimumCharacters,
        nearDuplicates,
        validationFraction,
        maxDocumentBytes,
        sectionBytes,
        seed,
        limits);
  }

  /// The source called `name`.
  public Optional<Source> source(String name) {
    return sources.stream().filter(source -> source.name().equals(name)).findFirst();
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  /// What a source reads.
  public enum Kind {
    /// The code of a `src.zip` of a JDK, without licence headers and Javadoc.
    JDK_CODE,
    /// The Javadoc of a `src.zip` as plain text, one document for each file.
    JDK_JAVADOC,
    /// Questions made of the Javadoc of a `src.zip`, see [moxin.data.source.JavadocQuestion].
    JDK_QUESTIONS,
    /// Text, Markdown, code, JSON lines or Parquet in a file or folder.
    FILES;

    /// The name in recipes, such as `jdk-code`.
    @com.fasterxml.jackson.annotation.JsonValue
    public String recipeName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// Whether this reads the sources of a JDK.
    public boolean readsJdk() {
      return this != FILES;
    }

    @JsonCreator
    static Kind parse(String name) {
      for (Kind kind : values()) {
        if (kind.recipeName().equals(name)) {
          return kind;
        }
      }
      throw new IllegalArgumentException(
          "unknown kind " + name + "; expected jdk-code, jdk-javadoc, jdk-questions or files");
    }
  }

  /// One thing to read.
  ///
  /// @param path a file or folder; for the JDK kinds a `src.zip`, null meaning that of the running
  ///   JDK
  /// @param include globs over the path inside the folder or zip; empty includes all
  /// @param exclude globs of what is left out
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Source(
      String name, Kind kind, @Nullable String path, List<String> include, List<String> exclude)
      implements Serializable {

    public Source {
      require(
          NAME.matcher(name).matches(),
          "a source's name has up to 64 letters, digits, '_', '.' and '-', found " + name);
      require(
          kind.readsJdk() || path != null, "source " + name + " of kind files needs a path: key");
      include = List.copyOf(include);
      exclude = List.copyOf(exclude);
    }

    @JsonCreator
    static Source resolve(
        @JsonProperty("name") @Nullable String name,
        @JsonProperty("kind") @Nullable Kind kind,
        @JsonProperty("path") @Nullable String path,
        @JsonProperty("include") @Nullable List<String> include,
        @JsonProperty("exclude") @Nullable List<String> exclude) {
      if (name == null) {
        throw new IllegalArgumentException("a source needs a name: key");
      }
      return new Source(
          name,
          kind == null ? Kind.FILES : kind,
          path,
          Objects.requireNonNullElse(include, List.of()),
          Objects.requireNonNullElse(exclude, List.of()));
    }
  }

  /// How near-duplicates are found: MinHash over character n-grams, banded, candidates verified by
  /// their true Jaccard similarity.
  ///
  /// @param ngram the number of characters of a shingle
  /// @param jaccard two documents at least this similar are near-duplicates
  /// @param permutations the length of a MinHash signature; 0 leaves near-duplicates alone
  public record NearDuplicates(int ngram, double jaccard, int permutations)
      implements Serializable {

    public NearDuplicates {
      require(ngram >= 1 && ngram <= 1024, "ngram must be between 1 and 1024, found " + ngram);
      require(jaccard > 0 && jaccard <= 1, "jaccard must be in (0, 1], found " + jaccard);
      require(
          permutations >= 0 && permutations <= 4096,
          "permutations must be between 0 and 4096, found " + permutations);
    }

    @JsonCreator
    static NearDuplicates resolve(
        @JsonProperty("ngram") @Nullable Integer ngram,
        @JsonProperty("jaccard") @Nullable Double jaccard,
        @JsonProperty("permutations") @Nullable Integer permutations) {
      return new NearDuplicates(
          Objects.requireNonNullElse(ngram, 13),
          Objects.requireNonNullElse(jaccard, 0.8),
          Objects.requireNonNullElse(permutations, 128));
    }

    /// SlimPajama's figures: 13-grams, 0.8, 128 permutations.
    public static NearDuplicates slimPajama() {
      return resolve(null, null, null);
    }
  }

  /// Bounds for a shortened run. Which files and documents remain is decided by hash.
  ///
  /// @param maxDocuments the most documents that each source keeps
  /// @param maxBytes the most bytes of files that each input is read to
  public record Limits(long maxDocuments, long maxBytes) implements Serializable {

    public Limits {
      require(maxDocuments > 0, "maxDocuments must be positive");
      require(maxBytes > 0, "maxBytes must be positive");
    }

    @JsonCreator
    static Limits resolve(
        @JsonProperty("maxDocuments") @Nullable Long maxDocuments,
        @JsonProperty("maxBytes") @Nullable Long maxBytes) {
      return new Limits(
          Objects.requireNonNullElse(maxDocuments, Long.MAX_VALUE),
          Objects.requireNonNullElse(maxBytes, Long.MAX_VALUE));
    }

    /// Everything is read.
    public static Limits none() {
      return resolve(null, null);
    }
  }
}
