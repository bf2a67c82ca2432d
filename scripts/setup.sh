#!/bin/sh
# Installs what `make build` and `make test` need on Debian, if it is missing: a compiler with the sources of its std, LLVM, Python.
# Does nothing when everything is there, and nothing at all where Solana's own tools are installed.
set -eu

packages="rustc-web cargo-web rust-web-src llvm-22 llvm-22-dev libzstd-dev zlib1g-dev"

if command -v cargo-build-sbf >/dev/null 2>&1; then
    exit 0
fi

missing=""
# The tests ask an oracle of the margin methodology that is written in Python.
command -v python3 >/dev/null 2>&1 || missing=" python3"
for package in $packages; do
    if ! dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii'; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
root=""
if [ "$(id -u)" -ne 0 ]; then
    root="sudo"
fi
$root apt-get update
# shellcheck disable=SC2086 # a list
$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
