package moxin.torch;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Closes the tensors that a block of code made: every tensor made by a thread belongs to its
/// innermost open scope. Scopes nest within one thread:
///
/// ```java
/// try (Scope scope = Scope.open()) {
///   Tensor product = Aten.mm(a, b);
///   return scope.keep(Aten.silu(product)); // the caller's scope owns it now
/// }
/// ```
///
/// A tensor made outside any scope belongs to whoever made it.
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

  private final @Nullable Scope parent;
  private final List<Tensor> tensors = new ArrayList<>();

  private Scope(@Nullable Scope parent) {
    this.parent = parent;
  }

  /// Opens a scope inside the current one of this thread.
  public static Scope open() {
    Scope scope = new Scope(CURRENT.get());
    CURRENT.set(scope);
    return scope;
  }

  static @Nullable Scope current() {
    return CURRENT.get();
  }

  /// Gives `tensor` to the enclosing scope, or to the caller where there is none.
  public Tensor keep(Tensor tensor) {
    if (tensor.owner() != this) {
      throw new IllegalArgumentException("the tensor does not belong to this scope");
    }
    tensor.ownedBy(parent);
    if (parent != null) {
      parent.tensors.add(tensor);
    }
    return tensor;
  }

  /// Takes every tensor out of this scope; from now on they are the caller's to close, on any
  /// thread.
  public List<Tensor> detach() {
    List<Tensor> detached = new ArrayList<>();
    for (Tensor tensor : tensors) {
      if (tensor.owner() == this) {
        tensor.ownedBy(null);
        detached.add(tensor);
      }
    }
    tensors.clear();
    return detached;
  }

  void add(Tensor tensor) {
    tensors.add(tensor);
  }

  @Override
  public void close() {
    if (CURRENT.get() != this) {
      throw new IllegalStateException("scopes close in the order they nest, on their thread");
    }
    CURRENT.set(parent);
    for (Tensor tensor : tensors) {
      if (tensor.owner() == this) {
        tensor.close();
      }
    }
    tensors.clear();
  }
}
