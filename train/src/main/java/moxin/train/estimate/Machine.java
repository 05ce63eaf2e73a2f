package moxin.train.estimate;

/// The devices of a run.
///
/// @param memoryBytes of one device
/// @param peakFlops floating-point operations per second of one device, in the compute type
/// @param mfu the share of them that the model's arithmetic will use
/// @param pricePerHour of one device in US dollars
public record Machine(double memoryBytes, double peakFlops, double mfu, double pricePerHour) {

  /// The share of a device's memory that tensors may fill: the rest is the driver's, the libraries'
  /// and lost between tensors.
  public static final double USABLE = 0.95;

  public Machine {
    if (!(memoryBytes > 0) || !(peakFlops > 0) || !(mfu > 0 && mfu <= 1) || !(pricePerHour >= 0)) {
      throw new IllegalArgumentException(
          "a device has memory and a peak above 0, MFU in (0, 1] and a price from 0 up");
    }
  }

  /// Whether `memory` has room on a device.
  public boolean holds(DeviceMemory memory) {
    return memory.total() <= USABLE * memoryBytes;
  }
}
