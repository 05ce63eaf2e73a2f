package moxin.release.mof;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// Which SPDX licences are open, and which content the framework finds each suited to.
///
/// Open means OSI-approved, FSF-libre, in the framework's list of open-data licences, or
/// OpenMDW-1.0. Ids are compared exactly.
public final class LicenceList {
  private static final LicenceList BUNDLED = load();

  private final Map<String, Entry> entries;

  private LicenceList(Map<String, Entry> entries) {
    this.entries = entries;
  }

  private record Entry(boolean open, Set<String> types) {}

  /// The list that comes with the program.
  public static LicenceList bundled() {
    return BUNDLED;
  }

  /// Whether `spdxId` is an open licence.
  public boolean isOpen(String spdxId) {
    Entry entry = entries.get(spdxId);
    return entry != null && entry.open();
  }

  /// Whether the framework lists `spdxId` for content of `type`.
  public boolean suits(String spdxId, ContentType type) {
    Entry entry = entries.get(spdxId);
    return entry != null && entry.types().contains(type.key());
  }

  private static LicenceList load() {
    Map<String, Entry> entries = new HashMap<>();
    try (InputStream in = LicenceList.class.getResourceAsStream("licences.tsv")) {
      if (in == null) {
        throw new IllegalStateException("licences.tsv is missing from the build");
      }
      BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#")) {
          String[] columns = line.split("\t", -1);
          entries.put(
              columns[0], new Entry(!columns[1].equals("-"), Set.of(columns[2].split(",", -1))));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new LicenceList(Map.copyOf(entries));
  }
}
