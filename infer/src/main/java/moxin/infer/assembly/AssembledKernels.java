package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Optional;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.RowSource;
import moxin.infer.kernel.WeightFormat;

/// Matrix products in machine code for AVX-512 with VNNI and, for bf16 weights, with BF16. Products
/// of fp32, and of bf16 where the processor has no BF16, are left to another tier.
///
/// Memory segments must be native. The code is mapped once per process, with the first instance,
/// and stays: it must outlive every call.
public final class AssembledKernels implements MatrixKernels {
  private static final CpuFeature[] NEEDED = {
    CpuFeature.AVX512F, CpuFeature.AVX512BW, CpuFeature.AVX512VL, CpuFeature.AVX512_VNNI
  };

  private final MatrixKernels other;
  private final boolean multipliesBf16;
  private final QuantisedProducts quantised;
  private final Bf16Products bf16;

  private AssembledKernels(Machine machine, MatrixKernels other) {
    this.other = other;
    this.multipliesBf16 = machine.features().has(CpuFeature.AVX512_BF16);
    this.quantised = new QuantisedProducts(machine.entries());
    this.bf16 = new Bf16Products(machine.entries());
  }

  /// One line that says why these kernels cannot run here; empty where they can.
  public static Optional<String> obstacle() {
    return switch (Attempt.RESULT) {
      case Machine _ -> Optional.empty();
      case Refusal refusal -> Optional.of(refusal.reason());
    };
  }

  /// The kernels, with `other` for the products that they leave out.
  ///
  /// @throws IllegalStateException if there is an [#obstacle]
  public static AssembledKernels with(MatrixKernels other) {
    return switch (Attempt.RESULT) {
      case Machine machine -> new AssembledKernels(machine, other);
      case Refusal refusal -> throw new IllegalStateException(refusal.reason());
    };
  }

  @Override
  public String name() {
    return multipliesBf16 ? "assembled-avx512-vnni-bf16" : "assembled-avx512-vnni";
  }

  private boolean isOthers(WeightFormat format) {
    return format == WeightFormat.F32 || format == WeightFormat.BF16 && !multipliesBf16;
  }

  @Override
  public InputFormat inputFormat(WeightFormat format) {
    if (isOthers(format)) {
      return other.inputFormat(format);
    }
    return format == WeightFormat.BF16 ? InputFormat.BF16 : InputFormat.INT8;
  }

  @Override
  public long packedBytes(WeightFormat format, int rows, int columns) {
    if (isOthers(format)) {
      return other.packedBytes(format, rows, columns);
    }
    return PackedMatrix.tiles(rows) * tileBytes(format, columns);
  }

  private static long tileBytes(WeightFormat format, int columns) {
    return format == WeightFormat.BF16
        ? Bf16Products.tileBytes(columns)
        : TILE * format.rowBytes(columns);
  }

  @Override
  public void pack(PackedMatrix target, int tile, RowSource source) {
    if (isOthers(target.format())) {
      other.pack(target, tile, source);
      return;
    }
    long tileBytes = tileBytes(target.format(), target.columns());
    MemorySegment data = target.data().asSlice(tile * tileBytes, tileBytes);
    try (Arena arena = Arena.ofConfined()) {
      TileRows rows = TileRows.of(target, tile, source, arena);
      if (target.format() == WeightFormat.BF16) {
        bf16.pack(rows, target.columns(), data.address(), arena);
      } else {
        quantised.pack(target.format(), rows, target.columns(), data.address());
      }
    }
  }

  @Override
  public long inputBytes(InputFormat format, int tokens, int columns) {
    return switch (format) {
      case F32 -> other.inputBytes(format, tokens, columns);
      case INT8 -> tokens * InputLayout.int8TokenBytes(columns);
      case BF16 -> tokens * InputLayout.bf16TokenBytes(columns);
    };
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
    if (format == InputFormat.F32) {
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
      long source = xAddress + token * xStride * Float.BYTES;
      if (format == InputFormat.INT8) {
        quantised.prepare(source, tokens, token, columns, inputAddress);
      } else {
        bf16.prepare(source, tokens, token, columns, inputAddress);
      }
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
    InputFormat format = inputFormat(weights.format());
    long tileBytes = tileBytes(weights.format(), weights.columns());
    long lastFloat = (tokens - 1) * yStride + (long) toTile * TILE;
    Tiles tiles =
        new Tiles(
            weights.columns(),
            address(weights.data(), toTile * tileBytes) + fromTile * tileBytes,
            tileBytes,
            toTile - fromTile,
            address(input, inputBytes(format, tokens, weights.columns())),
            tokens,
            address(y, lastFloat * Float.BYTES) + (long) fromTile * TILE * Float.BYTES,
            yStride * Float.BYTES);
    if (format == InputFormat.BF16) {
      bf16.multiply(tiles);
    } else {
      quantised.multiply(weights.format(), tiles);
    }
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

  private sealed interface Attempt permits Machine, Refusal {
    Attempt RESULT = attempt();

    private static Attempt attempt() {
      try {
        CpuFeatures features = CpuFeatures.detect();
        Optional<String> missing = features.obstacle(NEEDED);
        if (missing.isPresent()) {
          return new Refusal(missing.get());
        }
        KernelLibrary.Code code = KernelLibrary.write();
        ExecutableMemory memory = ExecutableMemory.of(code.bytes());
        return new Machine(features, KernelLibrary.Entries.of(code, memory.address()));
      } catch (MachineCodeException e) {
        return new Refusal(e.getMessage());
      }
    }
  }

  private record Machine(CpuFeatures features, KernelLibrary.Entries entries) implements Attempt {}

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

    /// Where the addresses of 16 rows begin.
    long half(int half) {
      return addresses.address() + (long) half * BlockCode.ROWS * Long.BYTES;
    }

    MemorySegment row(int row, long byteSize) {
      long address = addresses.getAtIndex(ValueLayout.JAVA_LONG, row);
      return MemorySegment.ofAddress(address).reinterpret(byteSize);
    }
  }
}
