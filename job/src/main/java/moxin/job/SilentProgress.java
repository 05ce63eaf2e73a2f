package moxin.job;

/// The progress of work nobody watches.
enum SilentProgress implements Progress, Progress.Task {
  INSTANCE;

  @Override
  public Task start(String label, long total, String unit) {
    return this;
  }

  @Override
  public void note(String line) {}

  @Override
  public void advance(long units) {}

  @Override
  public void status(String text) {}

  @Override
  public void close() {}
}
