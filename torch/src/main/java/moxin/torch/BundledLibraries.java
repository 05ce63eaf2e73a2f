package moxin.torch;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.job.AtomicDirectory;
import moxin.job.ContentHash;
import moxin.job.Progress;

/// The native libraries on the classpath, copied once into a folder where the system's loader can
/// open them.
///
/// The folder's name is a hash of the libraries' names and sizes, so that another version gets
/// another folder. A lock file lets one process extract while others wait; the folder appears whole
/// or not at all.
final class BundledLibraries {

  private BundledLibraries() {}

  /// Extracts what is missing below `cache` and returns the libraries in loading order.
  ///
  /// @throws LibTorchUnavailableException if the classpath has none for this platform
  static List<Path> extract(Platform platform, Path cache, Progress progress) throws IOException {
    Map<String, URL> resources = new LinkedHashMap<>();
    for (Platform.Library library : platform.libraries()) {
      resources.put(library.fileName(), find(library.resource(platform), platform));
    }
    return extract(resources, cache, progress);
  }

  static List<Path> extract(Map<String, URL> resources, Path cache, Progress progress)
      throws IOException {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (Map.Entry<String, URL> resource : resources.entrySet()) {
      sizes.put(resource.getKey(), size(resource.getValue()));
    }
    Path root = cache.resolve("libtorch");
    Path directory = root.resolve(ContentHash.of(sizes.toString()).substring(0, 16));
    if (!isComplete(directory, sizes)) {
      Files.createDirectories(root);
      try (FileChannel channel =
              FileChannel.open(
                  root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        assert lock.isValid();
        if (!isComplete(directory, sizes)) {
          copy(resources, sizes, directory, progress);
        }
      }
    }
    List<Path> files = new ArrayList<>();
    resources.keySet().forEach(name -> files.add(directory.resolve(name)));
    return List.copyOf(files);
  }

  private static URL find(String resource, Platform platform) {
    URL url = BundledLibraries.class.getClassLoader().getResource(resource);
    if (url == null) {
      throw new LibTorchUnavailableException(
          "libtorch is not on the classpath: "
              + resource
              + " is missing; build on "
              + platform.classifier()
              + ", or name an installed PyTorch (2.10 or later) with"
              + " MOXIN_LIBTORCH=.../site-packages/torch/lib");
    }
    return url;
  }

  private static long size(URL resource) throws IOException {
    URLConnection connection = resource.openConnection();
    try (InputStream in = connection.getInputStream()) {
      assert in != null;
      return connection.getContentLengthLong();
    }
  }

  private static boolean isComplete(Path directory, Map<String, Long> sizes) throws IOException {
    for (Map.Entry<String, Long> entry : sizes.entrySet()) {
      Path file = directory.resolve(entry.getKey());
      if (!Files.isRegularFile(file) || Files.size(file) != entry.getValue()) {
        return false;
      }
    }
    return true;
  }

  private static void copy(
      Map<String, URL> resources, Map<String, Long> sizes, Path directory, Progress progress)
      throws IOException {
    long total = sizes.values().stream().mapToLong(Long::longValue).sum();
    try (AtomicDirectory extracted = AtomicDirectory.open(directory);
        Progress.Task task = progress.start("Extract libtorch", total, "bytes")) {
      for (Map.Entry<String, URL> resource : resources.entrySet()) {
        copy(resource.getValue(), extracted.path().resolve(resource.getKey()), task);
      }
      if (!isComplete(extracted.path(), sizes)) {
        throw new IOException(directory + ": extracted libraries have the wrong size");
      }
      extracted.commit();
    }
  }

  private static void copy(URL source, Path target, Progress.Task task) throws IOException {
    byte[] buffer = new byte[1 << 18];
    try (InputStream in = source.openStream();
        OutputStream out = Files.newOutputStream(target)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        out.write(buffer, 0, n);
        task.advance(n);
      }
    }
  }
}
