#!/bin/sh
# Builds the program a second time, from a copy of the sources in another folder, and compares the bytes.
set -eu
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --create --exclude=./target --exclude=./.git --exclude=node_modules . | tar --extract --directory "$copy"

(
    cd "$copy"
    unset CARGO_TARGET_DIR
    . scripts/path.sh
    cargo build-sbf --manifest-path programs/ballast/Cargo.toml --sbf-out-dir target/deploy -- --locked
)
cmp target/deploy/ballast.so "$copy/target/deploy/ballast.so"
echo "two builds in two folders give the same bytes: $(sha256sum <target/deploy/ballast.so | cut -d' ' -f1)"
