package moxin.train.verify;

/// A run was killed.
///
/// @param signal `SIGKILL` or `SIGTERM`
/// @param aimedAt the step at which it was meant to happen
/// @param lastStep the last step in the metrics when the process was gone
/// @param exitCode of the process
public record Kill(String signal, long aimedAt, long lastStep, int exitCode) {}
