package moxin.testing;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The command line of a small JVM with the test's class path.
final class JavaCommand {

  private JavaCommand() {}

  static List<String> of(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-ea",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "@" + SharedData.projectRoot().resolve("jvm.args"),
            "-cp",
            System.getProperty("java.class.path"),
            main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }
}
