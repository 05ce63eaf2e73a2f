package moxin.infer.schedule;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.SequencedSet;
import moxin.model.LanguageModel.Session;
import org.jspecify.annotations.Nullable;

/// Sessions of texts that were read before, for texts that begin like them: a radix tree over token
/// ids whose nodes may hold a session that has read the ids down to there. For one thread.
///
/// A session serves every prefix to which it can still rewind: with a rolling window only the last
/// part of what it has read. So the tree also remembers the ids of texts whose sessions are of no
/// use; where a new text leaves a remembered one, more texts probably will, and a session is kept
/// of exactly that place. The least recently used goes when the budget is spent.
final class PrefixCache implements AutoCloseable {
  /// Shorter prefixes are not worth a session.
  static final int MIN_SHARED = 16;

  private static final int MAX_ENTRIES = 1024;
  private static final int MAX_VISITS = 64;

  private final long byteBudget;
  private final CacheSize cacheSize;
  private final PrefixNode root = PrefixNode.root();

  /// Nodes with a session and leaves, the least recently used first.
  private final SequencedSet<PrefixNode> entries = new LinkedHashSet<>();

  private long bytes;
  private int sessions;

  PrefixCache(long byteBudget, CacheSize cacheSize) {
    this.byteBudget = byteBudget;
    this.cacheSize = cacheSize;
  }

  /// What is known of a prompt.
  ///
  /// @param origin a kept session that can be forked at `reusable`, where that is not 0
  /// @param reusable how many tokens of the prompt it has read
  /// @param shared how many tokens the prompt has in common with any remembered text
  /// @param awaited whether another text is about to leave a session that is worth waiting for
  record Match(@Nullable Session origin, int reusable, int shared, boolean awaited) {
    Optional<Session> fork() {
      return origin == null ? Optional.empty() : Optional.of(origin.fork(reusable));
    }
  }

  /// Whether a session at the end of what is shared would spare later texts something, and fits.
  boolean worthKeeping(Match match) {
    return match.shared() >= match.reusable() + MIN_SHARED
        && cacheSize.bytes(match.shared()) <= byteBudget;
  }

  long bytes() {
    return bytes;
  }

  int sessions() {
    return sessions;
  }

  /// The longest prefix of `prompt`, without its last token, that a kept session has read.
  Match find(int[] prompt) {
    int limit = prompt.length - 1;
    Deque<PrefixNode> path = new ArrayDeque<>();
    PrefixNode node = root;
    int shared = 0;
    PrefixNode next = node.child(prompt, 0);
    while (next != null) {
      int same = next.matching(prompt, shared);
      shared += same;
      path.push(next);
      next = same == next.length() && shared < limit ? next.child(prompt, shared) : null;
    }
    shared = Math.min(shared, limit);
    PrefixNode waiting = null;
    for (PrefixNode at : path) {
      int depth = Math.min(at.depth(), shared);
      waiting = waiting == null && at.awaited && at.depth() <= shared ? at : waiting;
      PrefixNode found = usable(at, depth);
      if (found != null && depth >= MIN_SHARED) {
        touch(found);
        boolean awaited = waiting != null && waiting.depth() >= depth + MIN_SHARED;
        return new Match(found.session, depth, shared, awaited);
      }
    }
    return new Match(null, 0, shared, waiting != null && waiting.depth() >= MIN_SHARED);
  }

  /// A node at or below `top` whose session can be forked at `depth`.
  private static @Nullable PrefixNode usable(PrefixNode top, int depth) {
    Deque<PrefixNode> stack = new ArrayDeque<>();
    stack.push(top);
    for (int visits = 0; !stack.isEmpty() && visits < MAX_VISITS; visits++) {
      PrefixNode node = stack.pop();
      Session session = node.session;
      if (session != null && node.depth() >= depth && session.canRewindTo(depth)) {
        return node;
      }
      node.children().forEach(stack::push);
    }
    return null;
  }

  /// Remembers the ids of a text.
  void remember(int[] ids) {
    node(ids, ids.length);
    evict();
  }

  /// Announces a session for the first `length` tokens of `ids`.
  void await(int[] ids, int length) {
    node(ids, length).awaited = true;
  }

  /// Takes back an announcement.
  void forsake(int[] ids, int length) {
    PrefixNode node = node(ids, length);
    node.awaited = false;
    evict();
  }

  /// Keeps `session`, which has read the first `length` tokens of `ids` and nothing else, or closes
  /// it. Kept sessions above that it can stand for are closed.
  void keep(int[] ids, int length, Session session) {
    long size = cacheSize.bytes(length);
    PrefixNode node = node(ids, length);
    node.awaited = false;
    if (length < MIN_SHARED || size > byteBudget) {
      session.close();
      evict();
      return;
    }
    drop(node);
    for (PrefixNode above = node.parent(); above != null; above = above.parent()) {
      if (above.session != null && session.canRewindTo(above.depth())) {
        drop(above);
      }
    }
    node.session = session;
    node.bytes = size;
    bytes += size;
    sessions++;
    touch(node);
    evict();
  }

  /// The node at the end of the first `length` tokens of `ids`, made if there is none.
  private PrefixNode node(int[] ids, int length) {
    PrefixNode node = root;
    while (node.depth() < length) {
      PrefixNode child = node.child(ids, node.depth());
      if (child == null) {
        if (node.session == null) {
          entries.remove(node);
        }
        child = node.addChild(Arrays.copyOfRange(ids, node.depth(), length));
        bytes += 4L * child.length();
      } else {
        int same = child.matching(ids, node.depth());
        int wanted = Math.min(same, length - node.depth());
        if (wanted < child.length()) {
          child = child.split(wanted);
        }
      }
      node = child;
    }
    if (node != root) {
      touch(node);
    }
    return node;
  }

  private void touch(PrefixNode node) {
    entries.remove(node);
    if (node.session != null || node.isLeaf()) {
      entries.addLast(node);
    }
  }

  private void drop(PrefixNode node) {
    Session session = node.session;
    if (session != null) {
      node.session = null;
      session.close();
      bytes -= node.bytes;
      sessions--;
      if (!node.isLeaf()) {
        entries.remove(node);
      }
    }
  }

  private void evict() {
    int spared = 0;
    while ((bytes > byteBudget || entries.size() > MAX_ENTRIES) && spared < entries.size()) {
      PrefixNode oldest = entries.getFirst();
      if (oldest.awaited) {
        entries.remove(oldest);
        entries.addLast(oldest);
        spared++;
        continue;
      }
      drop(oldest);
      entries.remove(oldest);
      prune(oldest);
    }
  }

  /// Removes `from` and the nodes above it that are of no use any more.
  private void prune(PrefixNode from) {
    PrefixNode node = from;
    PrefixNode parent = node.parent();
    while (parent != null && node.isLeaf() && node.session == null && !node.awaited) {
      parent.remove(node);
      bytes -= 4L * node.length();
      entries.remove(node);
      node = parent;
      parent = node.parent();
    }
  }

  /// Closes all kept sessions.
  @Override
  public void close() {
    for (PrefixNode node : entries.toArray(PrefixNode[]::new)) {
      drop(node);
    }
    entries.clear();
  }
}
