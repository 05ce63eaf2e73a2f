package moxin.collective;

/// What one process has sent since it joined.
///
/// @param exchangedBytes bytes sent to others by [Communicator#exchange]
/// @param messages how many segments these were
/// @param broadcastBytes bytes of which this process was the root, counted once
public record Traffic(long exchangedBytes, long messages, long broadcastBytes) {

  /// What was sent since `earlier`.
  public Traffic since(Traffic earlier) {
    return new Traffic(
        exchangedBytes - earlier.exchangedBytes,
        messages - earlier.messages,
        broadcastBytes - earlier.broadcastBytes);
  }
}
