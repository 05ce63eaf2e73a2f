/// Corpus preparation: from files to clean, deduplicated documents with a known licence.
///
/// Everything here is a pure rule over one document or a small group of them: reading formats
/// (`moxin.data.read`), taking Java sources apart (`moxin.data.source`), filters, normalisation,
/// MinHash, the split. Begin with [moxin.data.CorpusRecipe], [moxin.data.DocumentFilter] and
/// [moxin.data.NearDuplicateSearch]. These packages know no Spark; `moxin.data.spark` runs the
/// rules over any number of documents.
@NullMarked
package moxin.data;

import org.jspecify.annotations.NullMarked;
