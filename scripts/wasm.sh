#!/bin/sh
# Builds the pure crates for WebAssembly as they stand: what runs on chain is to run in a browser.
set -eu
cd "$(dirname "$0")/.."

packages="--package ballast-fixed --package ballast-risk --package ballast-oracle --package ballast-book"
target="--target wasm32-unknown-unknown"
# shellcheck disable=SC2086 # words
if [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    cargo build --locked $target $packages
else
    # Debian's compiler knows the target and comes with the sources of core, but not with core for it.
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo build --locked -Zbuild-std=core,alloc $target $packages
fi
