package moxin.infer.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

/// [VectorKernels] of every width that this CPU has, in one JVM: each width has a class loader of
/// its own, since the width is a constant of its classes.
final class VectorTiers {

  private static final String PACKAGE = VectorTiers.class.getPackageName() + ".";
  private static final String PROPERTY = "moxin.vector.bits";

  private VectorTiers() {}

  static Stream<MatrixKernels> all() {
    return IntStream.of(128, 256, 512)
        .filter(bits -> bits <= FloatVector.SPECIES_PREFERRED.vectorBitSize())
        .mapToObj(VectorTiers::ofWidth);
  }

  static MatrixKernels ofWidth(int bits) {
    String before = System.getProperty(PROPERTY, "");
    System.setProperty(PROPERTY, Integer.toString(bits));
    try {
      Class<?> kernels = new Loader().loadClass(VectorKernels.class.getName());
      MatrixKernels result = (MatrixKernels) kernels.getDeclaredConstructor().newInstance();
      if (!result.name().equals("vector-" + bits)) {
        throw new IllegalStateException("expected " + bits + " bits: " + result.name());
      }
      return result;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    } finally {
      if (before.isEmpty()) {
        System.clearProperty(PROPERTY);
      } else {
        System.setProperty(PROPERTY, before);
      }
    }
  }

  /// Defines the classes of the tier anew; the contract's are its parent's.
  private static final class Loader extends ClassLoader {

    Loader() {
      super(VectorTiers.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        boolean own =
            name.startsWith(PACKAGE + "Vector") || name.startsWith(PACKAGE + "WeightBlock");
        Class<?> loaded = own ? findLoadedClass(name) : super.loadClass(name, resolve);
        return loaded == null ? define(name) : loaded;
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      String file = name.replace('.', '/') + ".class";
      try (InputStream in = getParent().getResourceAsStream(file)) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }
}
