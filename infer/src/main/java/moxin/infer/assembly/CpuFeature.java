package moxin.infer.assembly;

/// What a processor offers, as far as kernels ask for it.
///
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID.
public enum CpuFeature {
  FMA(1, 0, CpuFeature.ECX, 12, CpuFeature.YMM_STATE),
  F16C(1, 0, CpuFeature.ECX, 29, CpuFeature.YMM_STATE),
  AVX2(7, 0, CpuFeature.EBX, 5, CpuFeature.YMM_STATE),
  AVX512F(7, 0, CpuFeature.EBX, 16, CpuFeature.ZMM_STATE),
  AVX512BW(7, 0, CpuFeature.EBX, 30, CpuFeature.ZMM_STATE),
  AVX512VL(7, 0, CpuFeature.EBX, 31, CpuFeature.ZMM_STATE),
  AVX512_VNNI(7, 0, CpuFeature.ECX, 11, CpuFeature.ZMM_STATE),
  AVX512_BF16(7, 1, CpuFeature.EAX, 5, CpuFeature.ZMM_STATE),
  AVX_VNNI(7, 1, CpuFeature.EAX, 4, CpuFeature.YMM_STATE),
  AVX_VNNI_INT8(7, 1, CpuFeature.EDX, 4, CpuFeature.YMM_STATE);

  static final int EAX = 0;
  static final int EBX = 1;
  static final int ECX = 2;
  static final int EDX = 3;

  /// What the operating system must save: xmm and ymm.
  static final int YMM_STATE = 0x06;

  /// Also the mask registers and both parts of zmm.
  static final int ZMM_STATE = 0xE6;

  private final int leaf;
  private final int subleaf;
  private final int register;
  private final int bit;
  private final int state;

  CpuFeature(int leaf, int subleaf, int register, int bit, int state) {
    this.leaf = leaf;
    this.subleaf = subleaf;
    this.register = register;
    this.bit = bit;
    this.state = state;
  }

  int leaf() {
    return leaf;
  }

  int subleaf() {
    return subleaf;
  }

  int register() {
    return register;
  }

  int bit() {
    return bit;
  }

  /// The bits of XCR0 without which the registers would be lost at a change of threads.
  int state() {
    return state;
  }
}
