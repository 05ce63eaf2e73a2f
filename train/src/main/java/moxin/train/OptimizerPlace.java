package moxin.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Where the optimizer's moments and the fp32 master weights are kept between steps.
public enum OptimizerPlace {
  /// On the device that computes.
  @JsonProperty("none")
  DEVICE,
  /// In the host's memory; they pass through the device some elements at a time (as ZeRO-Offload
  /// does, Ren et al. 2021). On the CPU, whose memory is the host's, this changes nothing.
  @JsonProperty("optimizer")
  HOST
}
