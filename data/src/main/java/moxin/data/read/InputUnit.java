package moxin.data.read;

import java.io.Serializable;
import java.util.List;

/// A piece of input that one task reads.
///
/// @param format how to read it
/// @param file the file or archive
/// @param sources the names of the sources that it feeds
/// @param entries for archives, what is read from it; for files, their path below the source's root
/// @param byteSize about how many bytes are read
public record InputUnit(
    Format format, String file, List<String> sources, List<String> entries, long byteSize)
    implements Serializable {

  public InputUnit {
    sources = List.copyOf(sources);
    entries = List.copyOf(entries);
  }

  /// How a file is read.
  public enum Format {
    JDK_ARCHIVE,
    TEXT,
    CODE,
    JSON_LINES,
    PARQUET
  }
}
