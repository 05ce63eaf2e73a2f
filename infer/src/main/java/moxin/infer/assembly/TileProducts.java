package moxin.infer.assembly;

import java.lang.foreign.Arena;
import moxin.infer.assembly.AssembledKernels.TileRows;
import moxin.infer.assembly.AssembledKernels.Tiles;
import moxin.infer.kernel.WeightFormat;

/// Drives the kernels of the weights that meet one kind of inputs. Addresses have been checked.
interface TileProducts {

  /// Bytes of a packed tile.
  long tileBytes(WeightFormat format, int columns);

  /// Bytes of prepared inputs.
  long inputBytes(int tokens, int columns);

  /// Packs a tile.
  ///
  /// @param arena for what is needed meanwhile
  void pack(WeightFormat format, TileRows rows, int columns, long target, Arena arena);

  /// Prepares the input of one token.
  ///
  /// @param x its floats
  /// @param tokens how many tokens the inputs hold in all
  void prepare(long x, int tokens, int token, int columns, long input);

  /// Multiplies tiles with tokens.
  void multiply(WeightFormat format, Tiles tiles);
}
