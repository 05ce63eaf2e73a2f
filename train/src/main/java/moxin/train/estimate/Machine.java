package moxin.train.estimate;

import org.jspecify.annotations.Nullable;

/// The devices of a run.
///
/// @param memoryBytes of one device
/// @param peakFlops floating-point operations per second of one device, in the compute type; null
///   where nobody has said, and then times are not known
/// @param mfu the share of them that the model's arithmetic will use
/// @param pricePerHour of one device in US dollars; null where it is not known
public record Machine(
    double memoryBytes, @Nullable Double peakFlops, double mfu, @Nullable Double pricePerHour) {

  /// The share of a device's memory that tensors may fill: the rest is the driver's, the libraries'
  /// and lost between tensors.
  public static final double USABLE = 0.95;

  public Machine {
    boolean peak = peakFlops == null || peakFlops > 0;
    boolean price = pricePerHour == null || pricePerHour >= 0;
    if (!(memoryBytes > 0) || !peak || !(mfu > 0 && mfu <= 1) || !price) {
      throw new IllegalArgumentException(
          "a device has memory and a peak above 0, MFU in (0, 1] and a price from 0 up");
    }
  }

  /// How long `devices` of these take for `flops` at the MFU; null where their peak is not known.
  @Nullable Double seconds(double flops, int devices) {
    return peakFlops == null ? null : flops / (peakFlops * mfu * devices);
  }

  /// What `deviceHours` cost in US dollars; null where hours or price are not known.
  @Nullable Double cost(@Nullable Double deviceHours) {
    return deviceHours == null || pricePerHour == null ? null : deviceHours * pricePerHour;
  }

  /// Whether `memory` has room on a device.
  public boolean holds(DeviceMemory memory) {
    return memory.total() <= USABLE * memoryBytes;
  }
}
