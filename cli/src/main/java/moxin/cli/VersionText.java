package moxin.cli;

import moxin.job.CodeVersion;
import picocli.CommandLine.IVersionProvider;

/// What `moxin --version` says.
final class VersionText implements IVersionProvider {

  @Override
  public String[] getVersion() {
    CodeVersion code = CodeVersion.current();
    return new String[] {
      "moxin " + code.version() + " (" + code.commit() + (code.modified() ? ", modified)" : ")"),
      "Java " + Runtime.version() + ", " + System.getProperty("java.vendor")
    };
  }
}
