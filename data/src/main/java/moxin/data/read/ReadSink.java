package moxin.data.read;

import moxin.data.Draft;

/// Takes what readers find.
public interface ReadSink {

  /// A document.
  void draft(Draft draft);

  /// Something of `source` that was not used, for the short constant `reason`; `where` says which
  /// file, with a line number where that helps.
  void skipped(String source, String reason, String where);

  /// A file of `source` that was read.
  void file(String source, String path, long bytes, String licence, String evidence);

  /// Places in the file `where` at which bytes were no UTF-8 and became U+FFFD.
  void replaced(String source, String where, long places);
}
