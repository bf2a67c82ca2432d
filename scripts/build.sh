#!/bin/sh
# Builds the program to target/deploy/ballast.so, its IDL to target/idl and the IDL's TypeScript type to target/types,
# with Solana's own `cargo build-sbf` where that is installed and with crates/sbf elsewhere. Arguments go to
# `cargo build-sbf`.
set -eu
cd "$(dirname "$0")/.."

scripts/setup.sh
. scripts/path.sh
cargo build-sbf --manifest-path programs/ballast/Cargo.toml --sbf-out-dir target/deploy "$@" -- --locked

# A target folder of its own: the program is compiled for this machine, with other features.
cargo build --quiet --locked --package ballast-idl
CARGO_TARGET_DIR="$PWD/target/idl-build" "${CARGO_TARGET_DIR:-target}/debug/ballast-idl" programs/ballast target --locked
