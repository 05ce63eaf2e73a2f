package moxin.job;

import java.util.Map;
import java.util.TreeMap;

/// What the running machine and Java are, as far as results may depend on it.
public final class Environment {

  private Environment() {}

  /// Java, operating system, architecture, processors and heap, sorted by name.
  public static Map<String, String> describe() {
    Map<String, String> facts = new TreeMap<>();
    facts.put("java", Runtime.version().toString());
    facts.put("javaVendor", System.getProperty("java.vendor", "unknown"));
    facts.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("architecture", System.getProperty("os.arch", "unknown"));
    facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("maxHeapBytes", Long.toString(Runtime.getRuntime().maxMemory()));
    return facts;
  }
}
