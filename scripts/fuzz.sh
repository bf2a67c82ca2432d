#!/bin/sh
# Runs a fuzz target: `scripts/fuzz.sh [target] [seconds]`, both optional. What it has learned stays in fuzz/corpus, what breaks a check in
# fuzz/artifacts. Coverage comes from LLVM's own pass, so no nightly compiler and no cargo-fuzz is needed; with cargo-fuzz the same target
# runs as `cargo fuzz run margin`. Targets: margin, prices.
set -eu
cd "$(dirname "$0")/.."

target=${1:-margin}
seconds=${2:-60}

# libFuzzer is C++ and compiled from its source.
if ! command -v c++ >/dev/null 2>&1; then
    root=""
    if [ "$(id -u)" -ne 0 ]; then
        root="sudo"
    fi
    $root apt-get update
    $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends g++
fi

host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
# With --target the flags stay away from build scripts.
# shellcheck disable=SC2116,SC2086 # one line
RUSTFLAGS=$(echo $coverage) cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target-dir fuzz/target --target "$host" \
    --bin "$target"

mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
# Longer than the 4,096 that libFuzzer would choose from an empty corpus: forty positions and a board take some 1,500 bytes.
exec "fuzz/target/$host/release/$target" -max_len=8192 -len_control=20 -timeout=25 -max_total_time="$seconds" -print_final_stats=1 \
    -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target"
