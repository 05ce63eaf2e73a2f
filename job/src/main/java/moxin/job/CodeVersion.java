package moxin.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// The version of the running code: Maven's version and, for builds from a git checkout, its commit
/// and whether files differed from it.
///
/// @param commit forty hexadecimal digits, or `unknown` outside a checkout
public record CodeVersion(String version, String commit, boolean modified) {

  private static final CodeVersion CURRENT = load();

  /// The version this program was built as.
  public static CodeVersion current() {
    return CURRENT;
  }

  private static CodeVersion load() {
    Properties properties = new Properties();
    try (InputStream in = CodeVersion.class.getResourceAsStream("version.properties")) {
      if (in == null) {
        throw new IllegalStateException("version.properties is missing from the build");
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new CodeVersion(
        properties.getProperty("version", "unknown"),
        System.getProperty("moxin.commit", "unknown"),
        Boolean.getBoolean("moxin.modified"));
  }
}
