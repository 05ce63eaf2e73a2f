#!/usr/bin/env bash
# Measures training on this machine's first GPU and writes one table, beside PyTorch with
# torch.compile on the same shapes in the same minutes.
#
#   ./run.sh [--layers 36] [--steps 10] [--peak 989] [--device cuda]
#
# PyTorch is found through MOXIN_LIBTORCH (…/site-packages/torch/lib) or the python3 on the PATH.
# --peak is the data sheet's dense bf16 rate in TFLOP/s: 989 for H100 and H200 SXM.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
layers=36 steps=10 peak=989 device=cuda
while [ $# -gt 0 ]; do
  case $1 in
    --layers) layers=$2 ;;
    --steps) steps=$2 ;;
    --peak) peak=$2 ;;
    --device) device=$2 ;;
    *) echo "run.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

if [ "$device" = cuda ] && [ -z "${MOXIN_LIBTORCH:-}" ]; then
  MOXIN_LIBTORCH=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')
  export MOXIN_LIBTORCH
fi

# moxin's flags, less those for Spark.
grep -E '^--(add-modules|enable-native)' "$here/jvm.args" >"$here/jvm.training.args"
moxin() {
  "$here/runtime/bin/java" -Xmx4g "@$here/jvm.training.args" -cp "$here/jars/*" moxin.cli.Main "$@"
}

table=$here/result.txt
{
  date -u +%FT%TZ
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null || true
  for shape in reference moxin_7b; do
    more=()
    [ "$shape" = moxin_7b ] && more=(--layers "$layers")
    echo
    echo "== moxin, $shape"
    moxin bench train --device "$device" --shape "$shape" --steps "$steps" --peak "$peak" "${more[@]}" || true
    if [ "$device" = cuda ]; then
      echo
      echo "== PyTorch, torch.compile, $shape"
      python3 "$here/peer.py" --shape "$shape" --layers "$layers" --steps "$steps" --peak "$peak" || true
    fi
  done
} 2>&1 | tee "$table"
echo "written to $table"
