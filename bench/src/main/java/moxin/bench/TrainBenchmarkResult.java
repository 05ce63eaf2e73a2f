package moxin.bench;

/// What [TrainBenchmark] measured.
///
/// @param tokensPerSecond by the median step
/// @param bestTokensPerSecond by the fastest step
/// @param modelGigaflopsPerSecond the model's own operations, at the median step
/// @param gemmGigaflopsPerSecond libtorch's matrix products in the same process
/// @param gemmFraction the first over the second
/// @param residentBytesFirst of the process after the first measured step
/// @param residentBytesLast of the process after the last step
/// @param leakedTensors handles left open, which is 0
public record TrainBenchmarkResult(
    String libtorch,
    String computeType,
    String device,
    int processors,
    long parameters,
    int rows,
    int length,
    int steps,
    double tokensPerSecond,
    double bestTokensPerSecond,
    double modelGigaflopsPerSecond,
    double gemmGigaflopsPerSecond,
    double gemmFraction,
    long residentBytesFirst,
    long residentBytesLast,
    long leakedTensors) {}
