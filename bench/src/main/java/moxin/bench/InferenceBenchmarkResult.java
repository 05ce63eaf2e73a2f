package moxin.bench;

import java.util.Map;
import java.util.Optional;

/// What [InferenceBenchmark] measured; medians over the repetitions.
///
/// @param weightBytes of the packed matrices that every token reads
/// @param timeToFirstTokenSeconds of a prompt of `prefillTokens`: its prefill and one decoding step
/// @param batchTokensPerSecond over all sequences of a batch, by batch size
/// @param scheduledTokensPerSecond the same through the scheduler, by requests at once
/// @param memoryBandwidthGBps of plain reading on the same threads, between the repetitions
/// @param decodeBandwidthShare the weights read per second while decoding, over that
/// @param rival the rival's medians, where one ran in turn
/// @param peakResidentBytes of the process since its start
public record InferenceBenchmarkResult(
    String kernels,
    int threads,
    long parameters,
    long weightBytes,
    double loadSeconds,
    int prefillTokens,
    double prefillTokensPerSecond,
    double timeToFirstTokenSeconds,
    int decodeTokens,
    double decodeTokensPerSecond,
    Map<Integer, Double> batchTokensPerSecond,
    Map<Integer, Double> scheduledTokensPerSecond,
    double memoryBandwidthGBps,
    double decodeBandwidthShare,
    Optional<LlamaBench.Rates> rival,
    long residentBytes,
    long peakResidentBytes) {

  public InferenceBenchmarkResult {
    batchTokensPerSecond = Map.copyOf(batchTokensPerSecond);
    scheduledTokensPerSecond = Map.copyOf(scheduledTokensPerSecond);
  }
}
