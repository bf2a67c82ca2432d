#!/bin/sh
# All checks and tests, from formatting to the demo.
set -eu
cd "$(dirname "$0")/.."

# A larger program costs more to deploy, and one that grew unnoticed is a mistake.
max_bytes=1300000

step() {
    echo
    echo "== $1"
}

step "formatting, lints, tables and WebAssembly"
scripts/check.sh

step "the program"
scripts/build.sh
bytes=$(wc -c <target/deploy/ballast.so)
if [ "$bytes" -gt "$max_bytes" ]; then
    echo "target/deploy/ballast.so has $bytes bytes, more than the $max_bytes allowed" >&2
    exit 1
fi

step "the workspace's tests"
if command -v cargo-nextest >/dev/null 2>&1; then
    cargo nextest run --locked
    cargo test --locked --doc
else
    cargo test --locked
fi
cargo test --locked --package ballast-idl
# Out of the default members for the size of what they depend on: a real bank, and a price vendor's own crate.
cargo test --locked --package ballast-bank-tests --package ballast-oracle-tests
# The other vendors' crates are of other lines of Solana's SDK.
for vendors in live legacy; do
    cargo test --locked --manifest-path "tests/vendors/$vendors/Cargo.toml" --target-dir target
done

if ! command -v cargo-build-sbf >/dev/null 2>&1; then
    step "the builder's gate"
    cargo test --locked --package ballast-sbf
    step "a second build in another folder"
    scripts/reproducible.sh
fi

step "the demo"
make demo
