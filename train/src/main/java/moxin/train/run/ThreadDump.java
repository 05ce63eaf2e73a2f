package moxin.train.run;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;

/// The stacks of all platform threads with what they hold and wait for.
final class ThreadDump {

  private ThreadDump() {}

  /// The dump as text.
  static String take() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    StringBuilder out = new StringBuilder();
    long[] locked = threads.findDeadlockedThreads();
    if (locked != null) {
      out.append("deadlocked: ").append(java.util.Arrays.toString(locked)).append("\n\n");
    }
    for (ThreadInfo thread : threads.dumpAllThreads(true, true)) {
      append(out, thread);
    }
    return out.toString();
  }

  private static void append(StringBuilder out, ThreadInfo thread) {
    out.append('"').append(thread.getThreadName()).append("\" #").append(thread.getThreadId());
    out.append(' ').append(thread.getThreadState());
    if (thread.isInNative()) {
      out.append(" in native code");
    }
    out.append('\n');
    if (thread.getLockName() != null) {
      out.append("    waits for ").append(thread.getLockName());
      if (thread.getLockOwnerName() != null) {
        out.append(", held by \"").append(thread.getLockOwnerName()).append('"');
      }
      out.append('\n');
    }
    StackTraceElement[] stack = thread.getStackTrace();
    for (int depth = 0; depth < stack.length; depth++) {
      out.append("    at ").append(stack[depth]).append('\n');
      for (MonitorInfo monitor : thread.getLockedMonitors()) {
        if (monitor.getLockedStackDepth() == depth) {
          out.append("    holds ").append(monitor).append('\n');
        }
      }
    }
    for (LockInfo lock : thread.getLockedSynchronizers()) {
      out.append("    holds ").append(lock).append('\n');
    }
    out.append('\n');
  }
}
