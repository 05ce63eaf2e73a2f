package moxin.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The layers of `docs/ARCHITECTURE.md`, asserted.
class ArchitectureTest {

  /// Module → the modules that it may use.
  private static final Map<String, Set<String>> LAYERS =
      Map.ofEntries(
          Map.entry("job", Set.of()),
          Map.entry("collective", Set.of("job")),
          Map.entry("text", Set.of("job")),
          Map.entry("model", Set.of("job", "text")),
          Map.entry("infer", Set.of("job", "model", "text")),
          Map.entry("torch", Set.of("job", "model")),
          Map.entry("eval", Set.of("job", "model", "text")),
          Map.entry("train", Set.of("job", "collective", "torch", "eval", "model", "text")),
          Map.entry("data", Set.of("job", "text")),
          Map.entry("release", Set.of("job", "eval", "model")),
          Map.entry("bench", Set.of("job", "infer", "torch", "train", "model", "text")),
          Map.entry(
              "cli",
              Set.of(
                  "job",
                  "collective",
                  "text",
                  "model",
                  "infer",
                  "torch",
                  "eval",
                  "train",
                  "data",
                  "release",
                  "bench")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("moxin");

  @Test
  void everyModuleIsSeen() {
    for (String module : LAYERS.keySet()) {
      assertThat(CLASSES.stream().filter(type -> module.equals(moduleOf(type))).toList())
          .as("classes of module " + module)
          .isNotEmpty();
    }
  }

  @Test
  void modulesUseOnlyTheLayersBelowThem() {
    List<String> violations = new ArrayList<>();
    for (JavaClass type : CLASSES) {
      String from = moduleOf(type);
      Set<String> allowed = LAYERS.get(from);
      if (allowed == null) {
        continue;
      }
      type.getDirectDependenciesFromSelf().stream()
          .filter(dependency -> dependency.getTargetClass().getPackageName().startsWith("moxin."))
          .filter(
              dependency -> {
                String to = moduleOf(dependency.getTargetClass());
                return !to.equals(from) && !allowed.contains(to);
              })
          .forEach(dependency -> violations.add(dependency.getDescription()));
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void onlyDataSparkKnowsSpark() {
    ArchRule rule =
        noClasses()
            .that()
            .resideOutsideOfPackage("moxin.data.spark..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.spark..", "scala..");
    rule.allowEmptyShould(true).check(CLASSES);
  }

  @Test
  void theIncubatingVectorModuleIsConfinedToVectorClasses() {
    ArchRule rule =
        classes()
            .that()
            .haveNameNotMatching(".*\\.Vector[A-Z]\\w*(\\$.*)?")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackage("jdk.incubator.vector..");
    rule.check(CLASSES);
  }

  @Test
  void onlyTheCommandLinePrints() {
    List<String> prints = new ArrayList<>();
    for (JavaClass type : CLASSES) {
      if (moduleOf(type).equals("cli") || !LAYERS.containsKey(moduleOf(type))) {
        continue;
      }
      type.getFieldAccessesFromSelf().stream()
          .filter(access -> access.getTargetOwner().getName().equals("java.lang.System"))
          .filter(access -> Set.of("out", "err").contains(access.getTarget().getName()))
          .forEach(access -> prints.add(access.getDescription()));
      type.getMethodCallsFromSelf().stream()
          .filter(ArchitectureTest::exitsTheProcess)
          .forEach(call -> prints.add(call.getDescription()));
    }
    assertThat(prints).isEmpty();
  }

  private static boolean exitsTheProcess(JavaMethodCall call) {
    return call.getTargetOwner().getName().equals("java.lang.System")
        && call.getTarget().getName().equals("exit");
  }

  private static String moduleOf(JavaClass type) {
    String[] names = type.getPackageName().split("\\.", -1);
    return names.length > 1 && names[0].equals("moxin") ? names[1] : "";
  }
}
