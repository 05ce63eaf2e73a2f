package moxin.infer.schedule;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Divides what a pass has room for among the prompts that are being read: half for the oldest, so
/// that each gets through; the other half for those that need least, so that a short one does not
/// wait for a long one.
final class PrefillPlan {
  /// A pass over fewer tokens costs hardly less.
  private static final int MIN_CHUNK = 32;

  private final SchedulerOptions options;
  private final StepCost cost;

  PrefillPlan(SchedulerOptions options, StepCost cost) {
    this.options = options;
    this.cost = cost;
  }

  /// @param reading in the order of their admission
  /// @param writing how many texts have a token in the pass
  List<StepLoop.Slot> share(List<Ticket> reading, int writing) {
    int room = room(writing);
    if (reading.isEmpty() || room == 0) {
      return List.of();
    }
    Ticket oldest = reading.getFirst();
    Map<Ticket, Integer> shares = new LinkedHashMap<>();
    int half = reading.size() == 1 ? room : (room + 1) / 2;
    room -= add(shares, oldest, half);
    List<Ticket> others = new ArrayList<>(reading.subList(1, reading.size()));
    others.sort(Comparator.comparingInt(ticket -> ticket.sequence().promptLeft()));
    for (Ticket ticket : others) {
      room -= add(shares, ticket, room);
    }
    add(shares, oldest, room);
    return shares.entrySet().stream()
        .map(share -> new StepLoop.Slot(share.getKey(), share.getValue()))
        .toList();
  }

  /// Adds up to `most` tokens of a prompt, not across the place where a session is to be kept.
  private static int add(Map<Ticket, Integer> shares, Ticket ticket, int most) {
    int had = shares.getOrDefault(ticket, 0);
    int position = ticket.sequence().session().position();
    int left = ticket.sequence().promptLeft();
    if (ticket.keepAt() > position) {
      left = ticket.keepAt() - position;
    }
    int count = Math.min(most, left - had);
    if (count > 0) {
      shares.put(ticket, had + count);
    }
    return Math.max(0, count);
  }

  private int room(int writing) {
    int room = options.tokensPerStep() - writing;
    if (writing > 0) {
      long limit = options.stepTime().toNanos();
      while (room > MIN_CHUNK && cost.nanos(writing + room) > limit) {
        room = Math.max(MIN_CHUNK, room * 3 / 4);
      }
    }
    return room;
  }
}
