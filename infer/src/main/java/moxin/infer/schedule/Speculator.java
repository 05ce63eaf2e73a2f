package moxin.infer.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import moxin.infer.SamplingOptions;
import moxin.model.LanguageModel;
import org.jspecify.annotations.Nullable;

/// Gives the texts of one model their proposals, as long as the measured cost of steps makes worth
/// while. For one thread.
final class Speculator {
  private final Speculation speculation;
  private final StepCost cost = new StepCost();
  private final @Nullable DraftModel draftModel;

  /// @throws IllegalArgumentException if the draft model has another vocabulary
  Speculator(Speculation speculation, LanguageModel model, LongSupplier clock) {
    this.speculation = speculation;
    this.draftModel =
        switch (speculation) {
          case Speculation.None _, Speculation.PromptLookup _ -> null;
          case Speculation.Model drafts -> new DraftModel(sameVocabulary(drafts, model), clock);
        };
  }

  private static LanguageModel sameVocabulary(Speculation.Model drafts, LanguageModel model) {
    int expected = model.config().vocabSize();
    int found = drafts.model().config().vocabSize();
    if (found != expected) {
      throw new IllegalArgumentException(
          "the draft model has a vocabulary of " + found + ", the model of " + expected);
    }
    return drafts.model();
  }

  StepCost cost() {
    return cost;
  }

  /// Whether proposals of texts that are not greedy are drawn at random.
  boolean drawsDrafts() {
    return speculation instanceof Speculation.Model drafts
        && drafts.drafting() == Speculation.Drafting.SAMPLED;
  }

  @Nullable DraftSource newSource(
      TokenList text, SamplingOptions options, TokenChoice.@Nullable Rejection chance) {
    return switch (speculation) {
      case Speculation.None _ -> null;
      case Speculation.PromptLookup _ -> new LookupDrafts(text);
      case Speculation.Model _ ->
          draftModel == null ? null : draftModel.newTrack(text, options, chance);
    };
  }

  /// Lets the draft model read on in texts that it has not read.
  void follow(List<Sequence> sequences) {
    if (draftModel != null) {
      List<DraftTrack> tracks = new ArrayList<>();
      for (Sequence sequence : sequences) {
        if (sequence.source() instanceof DraftTrack track) {
          tracks.add(track);
        }
      }
      draftModel.catchUp(tracks);
    }
  }

  /// Gives `decoding` texts proposals of up to `room` tokens together.
  ///
  /// @param base how many tokens are in the step anyway
  void propose(List<Sequence> decoding, int base, int room) {
    int longest =
        switch (speculation) {
          case Speculation.None _ -> 0;
          case Speculation.PromptLookup lookup -> lookup.longest();
          case Speculation.Model drafts -> drafts.longest();
        };
    if (longest == 0 || decoding.isEmpty()) {
      return;
    }
    double value = cost.nanos(base) / decoding.size();
    double draftNanos = draftModel == null ? 0 : draftModel.nanosPerToken();
    List<Sequence> asking = new ArrayList<>();
    List<DraftModel.Wish> wishes = new ArrayList<>();
    int left = room;
    int size = base;
    for (Sequence sequence : decoding) {
      DraftSource source = sequence.source();
      if (source == null) {
        continue;
      }
      int limit = Math.min(Math.min(longest, left), sequence.draftLimit());
      DraftBudget.Terms terms = new DraftBudget.Terms(cost, size, value, draftNanos);
      int count =
          sequence.budget().choose(source, Math.max(0, Math.min(limit, source.limit())), terms);
      left -= count;
      size += count;
      switch (source) {
        case LookupDrafts lookup -> sequence.propose(lookup.propose(count));
        case DraftTrack track -> {
          if (count > 0) {
            asking.add(sequence);
            wishes.add(new DraftModel.Wish(track, count));
          }
        }
      }
    }
    if (draftModel != null && !wishes.isEmpty()) {
      draftModel.fill(wishes);
      for (int i = 0; i < wishes.size(); i++) {
        asking.get(i).propose(wishes.get(i).draft());
      }
    }
  }
}
