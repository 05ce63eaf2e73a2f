package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// What watches a run without changing it.
///
/// @param statistics of every parameter; none unless given
/// @param stall when a step counts as stalled
/// @param divergence when the loss counts as going up
/// @param peakTflops what the device can do in 10¹² floating-point operations per second, for MFU
/// @param prometheus a file to which the latest numbers are written in Prometheus's text format, as
///   for node_exporter's textfile collector; none unless given
/// @param mlflow a tracking server that is told of the run; none unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Monitoring(
    @Nullable Statistics statistics,
    StallWatch stall,
    DivergenceWarning divergence,
    @Nullable Double peakTflops,
    @Nullable String prometheus,
    @Nullable Mlflow mlflow) {

  public Monitoring(
      @Nullable Statistics statistics,
      @Nullable StallWatch stall,
      @Nullable DivergenceWarning divergence,
      @Nullable Double peakTflops,
      @Nullable String prometheus,
      @Nullable Mlflow mlflow) {
    this.statistics = statistics;
    this.stall = stall == null ? new StallWatch(null, null, null) : stall;
    this.divergence = divergence == null ? new DivergenceWarning(null, null, null) : divergence;
    this.peakTflops = peakTflops;
    this.prometheus = prometheus;
    this.mlflow = mlflow;
    Require.positive("peakTflops", peakTflops == null ? 1 : peakTflops);
  }

  static Monitoring defaults() {
    return new Monitoring(null, null, null, null, null, null);
  }
}
