#!/bin/sh
# Formatting and lints of everything, also of the crates that are built for the chain; the tables of the pricing kernel against the script
# that makes them; the pure crates for WebAssembly.
set -eu
cd "$(dirname "$0")/.."

outside="crates/sbf/runtime crates/sbf/vectors"

cargo fmt --all --check
for crate in $outside; do
    cargo fmt --manifest-path "$crate/Cargo.toml" --check
done

for apart in fuzz tests/vendors/live tests/vendors/legacy; do
    cargo fmt --manifest-path "$apart/Cargo.toml" --check
done

scripts/setup.sh
"$(scripts/python-mpmath.sh)" crates/fixed/scripts/kernel_tables.py --check
without=""
if command -v cargo-build-sbf >/dev/null 2>&1; then
    # Solana's own tools are here, so LLVM's development package need not be.
    without="--exclude ballast-sbf"
fi
# shellcheck disable=SC2086 # two words
cargo clippy --locked --workspace $without --all-targets -- -D warnings
for crate in $outside; do
    # The runtime uses an intrinsic of the compiler's.
    RUSTC_BOOTSTRAP=1 cargo clippy --locked --manifest-path "$crate/Cargo.toml" --target-dir target -- -D warnings
done

scripts/wasm.sh
