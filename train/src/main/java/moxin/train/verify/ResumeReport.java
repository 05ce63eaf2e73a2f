package moxin.train.verify;

import java.util.List;
import java.util.Optional;

/// What a verification found.
///
/// @param steps of the run
/// @param kills in order
/// @param files weights and optimizer state at the end
/// @param difference the first difference in words: a tensor and its element, or a step; empty if
///   there is none
public record ResumeReport(
    long steps, List<Kill> kills, List<FileHash> files, Optional<String> difference) {

  public ResumeReport {
    kills = List.copyOf(kills);
    files = List.copyOf(files);
  }
}
