/// Many texts from one pass over the weights: continuous batching, speculation, shared prefixes.
///
/// Begin with [moxin.infer.schedule.Scheduler], whose work is done step by step in `StepLoop`; one
/// request's state is `Sequence`. Speculation: `Speculator` asks for drafts and decides how long
/// they are, `TokenChoice` accepts them without changing the text or its distribution. Prefixes:
/// `PrefixCache`. Everything here stands on [moxin.model.LanguageModel] and knows no engine below
/// it.
@NullMarked
package moxin.infer.schedule;

import org.jspecify.annotations.NullMarked;
