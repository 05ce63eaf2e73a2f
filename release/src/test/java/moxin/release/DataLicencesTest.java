package moxin.release;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.api.Test;

class DataLicencesTest {
  private static final String CLASSPATH = "GPL-2.0-only WITH Classpath-exception-2.0";

  @Test
  void filesOfAnOpenJdkThatStateNothingAreCoveredByTheRest() throws JsonProcessingException {
    DataLicences licences = licences("jdk-code", CLASSPATH, 90, "NONE", 10);
    assertThat(licences.obstacle()).isEmpty();
    assertThat(licences.mainLicence()).contains("GPL-2.0-only");
  }

  @Test
  void aJdkThatIsMostlyUnderUnknownTermsIsNotOpen() throws JsonProcessingException {
    DataLicences licences = licences("jdk-code", "NOASSERTION", 90, "Apache-2.0", 10);
    assertThat(licences.distributed()).isEmpty();
    assertThat(licences.obstacle()).contains("of the files of code, 9 without a known licence");
    assertThat(licences.mainLicence()).isEmpty();
  }

  @Test
  void otherFilesWithoutLicenceAreNotCoveredByTheirNeighbours() throws JsonProcessingException {
    assertThat(licences("files", "MIT", 90, "NONE", 10).obstacle())
        .contains("of the files of code, 1 without a known licence");
  }

  @Test
  void oneLicenceThatIsNotOpenHoldsTheDocumentsBack() throws JsonProcessingException {
    assertThat(licences("files", "MIT", 90, "MIT AND CC-BY-NC-4.0", 10).obstacle())
        .contains("of the files read, 1 under MIT AND CC-BY-NC-4.0, which is not open");
  }

  @Test
  void aCorpusWithoutFindingsIsNotOpen() throws JsonProcessingException {
    assertThat(DataLicences.of(JsonMapper.builder().build().readTree("{}")).obstacle())
        .contains("no licence was found in the documents' files");
  }

  @Test
  void wordsOfAnExpressionAreItsLicencesAndExceptions() {
    assertThat(DataLicences.words("(MIT OR Apache-2.0) AND " + CLASSPATH))
        .containsExactly("MIT", "Apache-2.0", "GPL-2.0-only", "Classpath-exception-2.0");
  }

  private static DataLicences licences(
      String kind, String first, int firstBytes, String second, int secondBytes)
      throws JsonProcessingException {
    return DataLicences.of(
        JsonMapper.builder()
            .build()
            .readTree(
                """
                {"licences": [
                  {"source": "code", "licence": "%s", "files": 9, "bytes": %d},
                  {"source": "code", "licence": "%s", "files": 1, "bytes": %d}],
                 "settings": {"sources": [{"name": "code", "kind": "%s"}]}}
                """
                    .formatted(first, firstBytes, second, secondBytes, kind)));
  }
}
