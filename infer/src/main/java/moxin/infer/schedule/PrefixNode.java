package moxin.infer.schedule;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import moxin.model.LanguageModel.Session;
import org.jspecify.annotations.Nullable;

/// A node of the tree of [PrefixCache]: the ids from its parent's place to its own.
final class PrefixNode {
  private static final int[] NO_IDS = {};

  private final Map<Integer, PrefixNode> children = new HashMap<>();
  private @Nullable PrefixNode parent;
  private int[] ids;
  private final int depth;

  /// A session that has read the ids from the root to here.
  @Nullable Session session;

  /// What the session takes.
  long bytes;

  /// Whether a session is about to come.
  boolean awaited;

  private PrefixNode(@Nullable PrefixNode parent, int[] ids, int depth) {
    this.parent = parent;
    this.ids = ids;
    this.depth = depth;
  }

  static PrefixNode root() {
    return new PrefixNode(null, NO_IDS, 0);
  }

  @Nullable PrefixNode parent() {
    return parent;
  }

  /// How many ids lead here from the root.
  int depth() {
    return depth;
  }

  /// How many ids lead here from the parent.
  int length() {
    return ids.length;
  }

  boolean isLeaf() {
    return children.isEmpty();
  }

  Collection<PrefixNode> children() {
    return children.values();
  }

  /// The child whose first id is that at `at`, where there is one.
  @Nullable PrefixNode child(int[] text, int at) {
    return at < text.length ? children.get(text[at]) : null;
  }

  /// How many of this node's ids stand in `text` from `at`.
  int matching(int[] text, int at) {
    int end = Math.min(text.length, at + ids.length);
    int mismatch = Arrays.mismatch(text, at, end, ids, 0, end - at);
    return mismatch < 0 ? end - at : mismatch;
  }

  PrefixNode addChild(int[] childIds) {
    PrefixNode child = new PrefixNode(this, childIds, depth + childIds.length);
    children.put(childIds[0], child);
    return child;
  }

  void remove(PrefixNode child) {
    children.remove(child.ids[0]);
  }

  /// Puts a node between the parent and this one, `count` ids below the parent.
  PrefixNode split(int count) {
    PrefixNode above = parent;
    if (above == null || count <= 0 || count >= ids.length) {
      throw new IllegalArgumentException("cannot split " + ids.length + " ids at " + count);
    }
    PrefixNode middle = above.addChild(Arrays.copyOf(ids, count));
    ids = Arrays.copyOfRange(ids, count, ids.length);
    middle.children.put(ids[0], this);
    parent = middle;
    return middle;
  }
}
