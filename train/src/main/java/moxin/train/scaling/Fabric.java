package moxin.train.scaling;

/// What connects processes: α + bytes / β for each message.
///
/// @param name for tables
/// @param perNode processes of a node
/// @param nearBandwidth bytes per second and process, each direction, within a node
/// @param farBandwidth bytes per second and process, each direction, between nodes
/// @param latency seconds until a collective's first byte arrives
/// @param perMessage seconds of a process's time that a further message takes
public record Fabric(
    String name,
    int perNode,
    double nearBandwidth,
    double farBandwidth,
    double latency,
    double perMessage) {

  /// NVIDIA DGX H100 and H200: NVLink 4 with 900 GB/s in both directions together, a ConnectX-7 of
  /// 400 Gb/s for each GPU.
  public static final Fabric DGX = new Fabric("8 × NVLink 4, NDR 400", 8, 450e9, 50e9, 10e-6, 1e-6);

  /// The same nodes with one 100 Gb/s adapter for all eight GPUs, as clouds rent them.
  public static final Fabric ETHERNET =
      new Fabric("8 × NVLink 4, 100 GbE", 8, 450e9, 12.5e9 / 8, 30e-6, 2e-6);

  /// Seconds in which a process sends `bytes`, in equal parts to all others and directly.
  public double seconds(double bytes, int processes) {
    if (processes == 1) {
      return 0;
    }
    int near = Math.min(perNode, processes) - 1;
    int far = processes - 1 - near;
    double part = bytes / (processes - 1);
    double sending = Math.max(part * near / nearBandwidth, part * far / farBandwidth);
    return latency + perMessage * (processes - 1) + sending;
  }
}
