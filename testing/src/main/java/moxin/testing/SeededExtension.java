package moxin.testing;

import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;

/// Resolves the seeded generators of [Seeded] tests.
final class SeededExtension implements ParameterResolver, TestWatcher {

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Random.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return new Random(seed(context));
  }

  @Override
  public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
    System.err.println(
        context.getDisplayName() + " failed; replay with -Dmoxin.test.seed=" + seed(context));
  }

  private static long seed(ExtensionContext context) {
    return Optional.ofNullable(System.getProperty("moxin.test.seed"))
        .map(Long::parseLong)
        .orElseGet(() -> (long) context.getRequiredTestMethod().getName().hashCode());
  }
}
