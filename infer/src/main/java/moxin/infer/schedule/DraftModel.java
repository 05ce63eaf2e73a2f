package moxin.infer.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LogitRows;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// A smaller model that proposes tokens for several texts at once. Does not own the model.
final class DraftModel {
  /// A track further behind than this catches up before it proposes.
  private static final int CLOSE = 64;

  private static final int CATCH_UP = 256;
  private static final double WEIGHT = 0.1;

  private final LanguageModel model;
  private final LongSupplier clock;
  private final int contextLimit;
  private double nanosPerToken;

  DraftModel(LanguageModel model, LongSupplier clock) {
    this.model = model;
    this.clock = clock;
    this.contextLimit = Generator.contextLimit(model.config());
  }

  DraftTrack newTrack(
      TokenList text, SamplingOptions options, TokenChoice.@Nullable Rejection chance) {
    return new DraftTrack(this, text, options, chance, model.newSession());
  }

  /// The time of one proposed token, in nanoseconds; 0 before the first.
  double nanosPerToken() {
    return nanosPerToken;
  }

  int limit(DraftTrack track) {
    boolean close = track.behind() <= CLOSE;
    return close ? Math.max(0, contextLimit - track.text().size()) : 0;
  }

  /// Lets the tracks that are far behind read on, by at most one chunk together.
  void catchUp(List<DraftTrack> tracks) {
    List<Ingestion> ingestions = new ArrayList<>();
    int room = CATCH_UP;
    for (DraftTrack track : tracks) {
      int position = track.session().position();
      int end = Math.min(track.text().size(), contextLimit);
      int count = Math.min(room, end - position);
      if (track.behind() > CLOSE && count > 0) {
        int[] ids = track.text().slice(position, position + count);
        ingestions.add(new Ingestion(track.session(), ids, LogitRows.NONE));
        room -= count;
      }
    }
    if (!ingestions.isEmpty()) {
      model.ingest(ingestions);
    }
  }

  /// A text that wants `count` more tokens.
  static final class Wish {
    private final DraftTrack track;
    private final int count;
    private final List<Integer> ids = new ArrayList<>();
    private final List<TokenDistribution> drawnFrom = new ArrayList<>();

    Wish(DraftTrack track, int count) {
      this.track = track;
      this.count = count;
    }

    Draft draft() {
      return new Draft(ids.stream().mapToInt(id -> id).toArray(), List.copyOf(drawnFrom));
    }

    private boolean open() {
      return ids.size() < count && (ids.isEmpty() || track.session().rewindReach() > ids.size());
    }

    private Ingestion next() {
      TokenList text = track.text();
      int[] tokens =
          ids.isEmpty()
              ? text.slice(track.session().position(), text.size())
              : new int[] {ids.getLast()};
      return new Ingestion(track.session(), tokens, LogitRows.LAST);
    }

    private void choose(Logits logits) {
      TokenChoice.Rejection chance = track.chance();
      if (chance == null) {
        ids.add(logits.argmax(0));
      } else {
        TokenDistribution distribution = track.distribution(logits);
        drawnFrom.add(distribution);
        ids.add(distribution.draw(chance.random()));
      }
    }
  }

  /// Fills the wishes, one token of each in every pass. A wish may end short where the draft
  /// model's window could no longer forget a longer proposal.
  void fill(List<Wish> wishes) {
    wishes.forEach(wish -> wish.track.running());
    List<Wish> open = wishes.stream().filter(Wish::open).toList();
    while (!open.isEmpty()) {
      long start = clock.getAsLong();
      List<Logits> logits = model.ingest(open.stream().map(Wish::next).toList());
      for (int i = 0; i < logits.size(); i++) {
        open.get(i).choose(logits.get(i));
      }
      double each = (double) (clock.getAsLong() - start) / open.size();
      nanosPerToken = nanosPerToken == 0 ? each : nanosPerToken + WEIGHT * (each - nanosPerToken);
      open = open.stream().filter(Wish::open).toList();
    }
  }
}
