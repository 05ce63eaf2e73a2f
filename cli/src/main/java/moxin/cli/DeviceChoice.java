package moxin.cli;

import moxin.torch.Device;

/// The devices that `--device` names.
enum DeviceChoice {
  CPU,
  CUDA;

  /// The CPU, or the first GPU.
  Device device() {
    return this == CPU ? Device.CPU : Device.cuda(0);
  }
}
