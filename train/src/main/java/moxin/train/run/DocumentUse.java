package moxin.train.run;

/// Some tokens of one document in one step.
///
/// @param step of the run, from 1
/// @param phase the phase's name
/// @param microBatch of the step, from 0
/// @param row of the micro-batch, from 0
/// @param position of the first of these tokens in the row
/// @param source as the recipe calls it
/// @param pass over the source, from 0
/// @param document its number within the source, from 0, empty documents not counted
/// @param id the document's identity in the corpus, as its shard says
/// @param origin where it came from, as its shard says
/// @param shard the file that holds it
/// @param offset of the first of these tokens in the document
/// @param length how many tokens of it were read, the last one perhaps as a target only
public record DocumentUse(
    long step,
    String phase,
    long microBatch,
    long row,
    int position,
    String source,
    long pass,
    long document,
    String id,
    String origin,
    String shard,
    long offset,
    int length) {}
