#!/bin/sh
# Installs what `make build` and `make test` need on Debian, if it is missing: Python with mpmath, which the tests' oracles and tables are
# written in; where Solana's own tools are missing a compiler with the sources of its std and LLVM; where the compiler can't make
# WebAssembly, that compiler too. Does nothing when everything is there.
set -eu

missing=""
need() {
    for package in "$@"; do
        if ! dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii'; then
            missing="$missing $package"
        fi
    done
}

command -v python3 >/dev/null 2>&1 || need python3
"$(dirname "$0")/python-mpmath.sh" >/dev/null 2>&1 || need python3-mpmath
if ! command -v cargo-build-sbf >/dev/null 2>&1; then
    need rustc-web cargo-web rust-web-src llvm-22 llvm-22-dev libzstd-dev zlib1g-dev
fi
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    need rustc-web cargo-web rust-web-src
fi
[ -n "$missing" ] || exit 0

echo "installing:$missing"
root=""
if [ "$(id -u)" -ne 0 ]; then
    root="sudo"
fi
$root apt-get update
# shellcheck disable=SC2086 # a list
$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
