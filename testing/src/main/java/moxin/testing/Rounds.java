package moxin.testing;

/// How many rounds a test of random inputs makes: few enough for every build, and as many as one
/// likes on demand, with `-Dmoxin.rounds=N` times as many.
public final class Rounds {
  private static final int FACTOR = Integer.getInteger("moxin.rounds", 1);

  private Rounds() {}

  /// `usual` rounds, or more where asked for.
  public static int of(int usual) {
    return Math.multiplyExact(usual, FACTOR);
  }
}
