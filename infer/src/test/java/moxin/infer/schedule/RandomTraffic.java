package moxin.infer.schedule;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moxin.infer.GenerationOptions;
import moxin.infer.SamplingOptions;

/// Requests as they might come to a server: a few system prompts, questions of any length, texts
/// that quote themselves, greedy and drawn answers, stop strings.
final class RandomTraffic {
  private final Random random;
  private final int vocabSize;
  private final int longestPrompt;
  private final int longestAnswer;
  private final int[][] systems = new int[3][];

  RandomTraffic(Random random, int vocabSize, int longestPrompt, int longestAnswer) {
    this.random = random;
    this.vocabSize = vocabSize;
    this.longestPrompt = longestPrompt;
    this.longestAnswer = longestAnswer;
    for (int i = 0; i < systems.length; i++) {
      systems[i] = ids(longestPrompt / 2 - i);
    }
  }

  private int[] ids(int count) {
    return random.ints(count, 3, vocabSize).toArray();
  }

  ScheduledRequest next() {
    int[] own = ids(1 + random.nextInt(longestPrompt / 2));
    int[] prompt = own;
    switch (random.nextInt(4)) {
      case 0 -> {}
      case 1 -> {
        int[] half = Arrays.copyOf(own, (own.length + 1) / 2);
        prompt = concatenated(half, half);
      }
      default -> prompt = concatenated(systems[random.nextInt(systems.length)], own);
    }
    SamplingOptions sampling =
        random.nextBoolean()
            ? SamplingOptions.greedy()
            : new SamplingOptions(0.8, random.nextInt(40), 0.95, 0, random.nextLong());
    List<String> stops = random.nextInt(5) == 0 ? List.of(" the", "zz") : List.of();
    return ScheduledRequest.of(
        prompt, new GenerationOptions(sampling, 1 + random.nextInt(longestAnswer), stops));
  }

  private static int[] concatenated(int[] head, int[] tail) {
    int[] all = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, all, head.length, tail.length);
    return all;
  }
}
