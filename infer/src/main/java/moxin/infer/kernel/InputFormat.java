package moxin.infer.kernel;

/// What a matrix product multiplies the weights with.
public enum InputFormat {
  /// The activations themselves, in fp32.
  F32,
  /// Activations rounded to bf16, to nearest, ties to even.
  BF16,
  /// Activations in blocks of 32 signed bytes with an fp32 scale, as [MatrixKernels] defines.
  INT8
}
