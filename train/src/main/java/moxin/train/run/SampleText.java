package moxin.train.run;

/// A text by the model as it was after `step`: a line of `samples.jsonl`.
public record SampleText(long step, String prompt, String text) {}
