package moxin.infer;

/// A finished generation.
///
/// @param promptIds the ids of the prompt
/// @param ids the new ids, without the one that ended the sequence
/// @param text the text of the new ids, up to a stop string
public record Generation(
    int[] promptIds,
    int[] ids,
    String text,
    FinishReason reason,
    GenerationEvent.Timings timings) {}
