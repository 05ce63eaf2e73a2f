#!/usr/bin/env bash
# Packs what a GPU machine needs to measure training: a Java runtime cut down with jlink, the jars,
# and the scripts of this folder; no Maven, no JDK and no network there.
#
#   bench/gpu/package.sh [OUT.tar.xz]      default: target/moxin-gpu.tar.xz
#
# Build first (./moxin --help does). The machine brings PyTorch 2.10 or later with CUDA.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/target/moxin-gpu.tar.xz}
: "${JAVA_HOME:?name a JDK 25 in JAVA_HOME}"

classpath_file=$root/cli/target/dependencies.classpath
[ -s "$classpath_file" ] || { echo "build first: ./moxin --help" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundle=$work/moxin-gpu
mkdir -p "$bundle/jars"

# The command and what it needs for training: not Spark's jars, nor the bundled CPU libtorch.
cp "$root"/cli/target/moxin-cli-*.jar "$bundle/jars/"
tr ':' '\n' <"$classpath_file" |
  grep -E '/(moxin-|jackson-(annotations|core|databind|dataformat-yaml)|snakeyaml|picocli|jspecify|jline|zstd-jni|xz-|slf4j-api)[^/]*\.jar$' |
  xargs -I{} cp {} "$bundle/jars/"

"$JAVA_HOME/bin/jlink" \
  --add-modules java.base,java.logging,java.management,java.net.http,java.sql,java.xml,java.desktop,jdk.incubator.vector,jdk.unsupported,jdk.management \
  --strip-debug --no-header-files --no-man-pages --compress zip-0 --output "$bundle/runtime"
cp "$root/jvm.args" "$here/run.sh" "$here/peer.py" "$bundle/"

mkdir -p "$(dirname "$out")"
tar -C "$work" -c moxin-gpu | xz -T0 -6 >"$out"
echo "$out: $(($(stat -c %s "$out" 2>/dev/null || stat -f %z "$out") / 1000000)) MB"
