package moxin.data.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;
import moxin.data.DocumentOrder;
import moxin.data.Draft;
import moxin.data.StageItem;
import moxin.data.Utf8;
import moxin.data.read.InputUnit;
import moxin.data.read.StagingSink;
import moxin.data.source.Licences;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/// Reads Parquet files through Spark: a column `text` or `content` of strings.
final class ParquetDocuments {

  private ParquetDocuments() {}

  static JavaRDD<StageItem> read(InputUnit unit, CorpusRecipe recipe) {
    SparkSession session = SparkSession.builder().getOrCreate();
    String path = unit.entries().getFirst();
    String source = unit.sources().getFirst();
    try {
      Dataset<Row> rows = session.read().parquet(unit.file());
      List<String> columns = Arrays.asList(rows.columns());
      String column = columns.contains("text") ? "text" : "content";
      if (!columns.contains(column)) {
        throw new CorpusException(
            unit.file() + " has no column text or content, only " + String.join(", ", columns));
      }
      return rows.selectExpr("CAST(`" + column + "` AS STRING)", "_metadata.row_index")
          .toJavaRDD()
          .mapPartitions(
              partition -> {
                List<StageItem> items = new ArrayList<>();
                StagingSink sink = new StagingSink(recipe, items::add);
                while (partition.hasNext()) {
                  Row row = partition.next();
                  if (row.getLong(1) == 0) {
                    sink.file(source, path, unit.byteSize(), Licences.NO_ASSERTION, "");
                  }
                  draft(source, path, row, sink);
                }
                sink.finish();
                return items.iterator();
              });
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new CorpusException(unit.file() + " cannot be read as Parquet: " + firstLine(e), e);
    }
  }

  private static void draft(String source, String path, Row row, StagingSink sink) {
    String where = path + ":" + (row.getLong(1) + 1);
    if (row.isNullAt(0)) {
      sink.skipped(source, "no-text-field", where);
      return;
    }
    String text = Utf8.normalize(row.getString(0));
    sink.draft(
        new Draft(
            "%s:%s#%09d".formatted(source, path, row.getLong(1) + 1),
            source,
            Draft.Form.PROSE,
            DocumentOrder.splitKey(where, text.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
            Licences.NO_ASSERTION,
            text));
  }

  static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
