package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.RowSource;
import moxin.infer.kernel.WeightFormat;

/// Matrix products in machine code of one [CodeLevel]. Products that a level has no code for are
/// left to another tier: those of fp32 with AVX-512, and of bf16 where the processor has no BF16.
///
/// Memory segments must be native. The code of a level is mapped once per process, with the first
/// instance, and stays: it must outlive every call.
public final class AssembledKernels implements MatrixKernels {
  private static final Map<CodeLevel, Attempt> ATTEMPTS = new EnumMap<>(CodeLevel.class);

  private final Machine machine;
  private final MatrixKernels other;

  private AssembledKernels(Machine machine, MatrixKernels other) {
    this.machine = machine;
    this.other = other;
  }

  /// One line that says why no level can run here; empty where one can.
  public static Optional<String> obstacle() {
    return fastest().isPresent() ? Optional.empty() : obstacle(CodeLevel.AVX2);
  }

  /// One line that says why `level` cannot run here; empty where it can.
  public static Optional<String> obstacle(CodeLevel level) {
    return switch (attempt(level)) {
      case Machine _ -> Optional.empty();
      case Refusal refusal -> Optional.of(refusal.reason());
    };
  }

  /// The fastest level that can run here.
  public static Optional<CodeLevel> fastest() {
    return Arrays.stream(CodeLevel.values()).filter(level -> obstacle(level).isEmpty()).findFirst();
  }

  /// The kernels of the fastest level, with `other` for the products that it leaves out.
  ///
  /// @throws IllegalStateException if there is an [#obstacle()]
  public static AssembledKernels with(MatrixKernels other) {
    return with(fastest().orElse(CodeLevel.AVX2), other);
  }

  /// The kernels of `level`, with `other` for the products that it leaves out.
  ///
  /// @throws IllegalStateException if there is an [#obstacle(CodeLevel)]
  public static AssembledKernels with(CodeLevel level, MatrixKernels other) {
    return switch (attempt(level)) {
      case Machine machine -> new AssembledKernels(machine, other);
      case Refusal refusal -> throw new IllegalStateException(refusal.reason());
    };
  }

  @Override
  public String name() {
    return machine.name();
  }

  private boolean isOthers(WeightFormat format) {
    return !machine.inputs().containsKey(format);
  }

  private TileProducts products(WeightFormat format) {
    return Objects.requireNonNull(machine.products().get(machine.inputs().get(format)));
  }

  @Override
  public InputFormat inputFormat(WeightFormat format) {
    InputFormat own = machine.inputs().get(format);
    return own == null ? other.inputFormat(format) : own;
  }

  @Override
  public long packedBytes(WeightFormat format, int rows, int columns) {
    if (isOthers(format)) {
      return other.packedBytes(format, rows, columns);
    }
    return PackedMatrix.tiles(rows) * products(format).tileBytes(format, columns);
  }

  @Override
  public void pack(PackedMatrix target, int tile, RowSource source) {
    WeightFormat format = target.format();
    if (isOthers(format)) {
      other.pack(target, tile, source);
      return;
    }
    TileProducts products = products(format);
    long tileBytes = products.tileBytes(format, target.columns());
    MemorySegment data = target.data().asSlice(tile * tileBytes, tileBytes);
    try (Arena arena = Arena.ofConfined()) {
      TileRows rows = TileRows.of(target, tile, source, arena);
      products.pack(format, rows, target.columns(), data.address(), arena);
    }
  }

  @Override
  public long inputBytes(InputFormat format, int tokens, int columns) {
    TileProducts own = machine.products().get(format);
    return own == null
        ? other.inputBytes(format, tokens, columns)
        : own.inputBytes(tokens, columns);
  }

  @Override
  public int tokenGroup() {
    return other.tokenGroup();
  }

  @Override
  public void prepare(
      InputFormat format,
      MemorySegment x,
      long xStride,
      int tokens,
      int from,
      int to,
      int columns,
      MemorySegment input) {
    TileProducts own = machine.products().get(format);
    if (own == null) {
      other.prepare(format, x, xStride, tokens, from, to, columns, input);
      return;
    }
    Objects.checkFromToIndex(from, to, tokens);
    if (from == to) {
      return;
    }
    long lastFloat = (to - 1) * xStride + columns;
    long xAddress = address(x, lastFloat * Float.BYTES);
    long inputAddress = address(input, inputBytes(format, tokens, columns));
    for (int token = from; token < to; token++) {
      own.prepare(xAddress + token * xStride * Float.BYTES, tokens, token, columns, inputAddress);
    }
  }

  @Override
  public void multiply(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride) {
    if (isOthers(weights.format())) {
      other.multiply(weights, fromTile, toTile, input, tokens, y, yStride);
      return;
    }
    Objects.checkFromToIndex(fromTile, toTile, weights.tiles());
    if (fromTile == toTile || tokens == 0) {
      return;
    }
    WeightFormat format = weights.format();
    TileProducts products = products(format);
    long tileBytes = products.tileBytes(format, weights.columns());
    long lastFloat = (tokens - 1) * yStride + (long) toTile * TILE;
    Tiles tiles =
        new Tiles(
            weights.columns(),
            address(weights.data(), toTile * tileBytes) + fromTile * tileBytes,
            tileBytes,
            toTile - fromTile,
            address(input, products.inputBytes(tokens, weights.columns())),
            tokens,
            address(y, lastFloat * Float.BYTES) + (long) fromTile * TILE * Float.BYTES,
            yStride * Float.BYTES);
    products.multiply(format, tiles);
  }

  /// The address of a segment of at least `byteSize` bytes; machine code checks nothing itself.
  private static long address(MemorySegment segment, long byteSize) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("machine code needs native memory");
    }
    Objects.checkFromIndexSize(0, byteSize, segment.byteSize());
    return segment.address();
  }

  /// What a product works on: addresses, and strides in bytes.
  ///
  /// @param columns K
  /// @param weights the first tile
  /// @param tiles how many tiles
  /// @param y the first tile's rows of token 0
  record Tiles(
      int columns,
      long weights,
      long tileBytes,
      int tiles,
      long input,
      int tokens,
      long y,
      long yStride) {}

  private static Attempt attempt(CodeLevel level) {
    synchronized (ATTEMPTS) {
      return ATTEMPTS.computeIfAbsent(level, Attempt::of);
    }
  }

  private sealed interface Attempt permits Machine, Refusal {

    private static Attempt of(CodeLevel level) {
      try {
        CpuFeatures features = CpuFeatures.detect();
        Optional<String> missing = level.obstacle(features);
        if (missing.isPresent()) {
          return new Refusal(missing.get());
        }
        return switch (level) {
          case AVX512 -> avx512(features.has(CpuFeature.AVX512_BF16));
          case AVX_VNNI -> avx2("assembled-avx2-vnni", ByteDots.VNNI);
          case AVX2 -> avx2("assembled-avx2", ByteDots.MULTIPLY_ADD);
        };
      } catch (MachineCodeException e) {
        return new Refusal(e.reason());
      }
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static Machine avx512(boolean multipliesBf16) throws MachineCodeException {
      KernelLibrary.Code code = KernelLibrary.write();
      MemorySegment base = ExecutableMemory.of(code.bytes()).address();
      KernelLibrary.Entries entries = KernelLibrary.Entries.of(code, base);
      Map<WeightFormat, InputFormat> inputs = quantised();
      Map<InputFormat, TileProducts> products = new EnumMap<>(InputFormat.class);
      products.put(
          InputFormat.INT8, new QuantisedProducts(entries.quantised(), entries.int8Input()));
      if (multipliesBf16) {
        inputs.put(WeightFormat.BF16, InputFormat.BF16);
        products.put(InputFormat.BF16, new Bf16Products(entries));
      }
      String name = multipliesBf16 ? "assembled-avx512-vnni-bf16" : "assembled-avx512-vnni";
      return new Machine(name, inputs, products);
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static Machine avx2(String name, ByteDots dots) throws MachineCodeException {
      KernelLibrary.Code code = YmmLibrary.write(dots);
      MemorySegment base = ExecutableMemory.of(code.bytes()).address();
      Map<WeightFormat, InputFormat> inputs = quantised();
      inputs.put(WeightFormat.F32, InputFormat.F32);
      inputs.put(WeightFormat.BF16, InputFormat.F32);
      Map<InputFormat, TileProducts> products = new EnumMap<>(InputFormat.class);
      products.put(InputFormat.INT8, YmmLibrary.quantised(dots, code, base));
      products.put(InputFormat.F32, YmmLibrary.floats(code, base));
      return new Machine(name, inputs, products);
    }

    private static Map<WeightFormat, InputFormat> quantised() {
      Map<WeightFormat, InputFormat> inputs = new EnumMap<>(WeightFormat.class);
      for (WeightFormat format : WeightFormat.values()) {
        if (format.blockElements() > 1) {
          inputs.put(format, InputFormat.INT8);
        }
      }
      return inputs;
    }
  }

  /// Code that can run.
  ///
  /// @param inputs what the weights meet that there is code for
  private record Machine(
      String name, Map<WeightFormat, InputFormat> inputs, Map<InputFormat, TileProducts> products)
      implements Attempt {}

  private record Refusal(String reason) implements Attempt {}

  /// The addresses of the 32 rows of a tile, as native memory.
  ///
  /// @param addresses 32 numbers of 64 bits; rows beyond the last are zeros
  record TileRows(MemorySegment addresses) {

    static TileRows of(PackedMatrix target, int tile, RowSource source, Arena arena) {
      long rowBytes = target.format().rowBytes(target.columns());
      MemorySegment addresses = arena.allocate(ValueLayout.JAVA_LONG, TILE);
      MemorySegment zeros = MemorySegment.NULL;
      for (int i = 0; i < TILE; i++) {
        int row = tile * TILE + i;
        MemorySegment segment;
        if (row < target.rows()) {
          segment = source.row(row);
          Objects.checkFromIndexSize(0, rowBytes, segment.byteSize());
          if (!segment.isNative()) {
            segment = arena.allocate(rowBytes, Long.BYTES).copyFrom(segment.asSlice(0, rowBytes));
          }
        } else {
          if (zeros.address() == 0) {
            zeros = arena.allocate(rowBytes, Long.BYTES);
          }
          segment = zeros;
        }
        addresses.setAtIndex(ValueLayout.JAVA_LONG, i, segment.address());
      }
      return new TileRows(addresses);
    }

    /// Where the address of a row lies, those of the next rows behind it.
    long from(int row) {
      return addresses.address() + (long) row * Long.BYTES;
    }

    @SuppressWarnings("restricted")
    MemorySegment row(int row, long byteSize) {
      long address = addresses.getAtIndex(ValueLayout.JAVA_LONG, row);
      return MemorySegment.ofAddress(address).reinterpret(byteSize);
    }
  }
}
