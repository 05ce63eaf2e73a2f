package moxin.train.verify;

import java.io.IOException;
import java.nio.file.Path;

/// Starts the process of a run.
@FunctionalInterface
public interface RunLauncher {

  /// Starts training in `run`, or goes on with what is there.
  ///
  /// @param log where everything goes that the process prints
  Process start(Path run, Path log) throws IOException;
}
