#!/usr/bin/env bash
# Builds what is released: one static file with all codecs, and its checksum, in target/dist.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=packaging/static.sh
source packaging/static.sh
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

cargo build --release --locked --features codecs --target "$host"

binary="target/$host/release/vitrina"
file "$binary" | grep -q 'static-pie linked' || { file "$binary"; exit 1; }
ldd "$binary" 2>&1 | grep -q 'statically linked' || { ldd "$binary"; exit 1; }
size=$(stat -c %s "$binary")
((size < 60 * 1024 * 1024)) || { echo "$size bytes are too many"; exit 1; }

name="vitrina-$version-$host"
mkdir -p target/dist
cp --remove-destination "$binary" "target/dist/$name"
(cd target/dist && sha256sum "$name" > "$name.sha256")
echo "target/dist/$name: static, $size bytes"
