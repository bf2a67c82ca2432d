# Sourced by the other scripts from the root of the repository: where Solana's tools are not installed, builds our
# builder and puts it on the PATH under the name `cargo-build-sbf`, for the calling script only.

if ! command -v cargo-build-sbf >/dev/null 2>&1; then
    cargo build --quiet --locked --package ballast-sbf
    mkdir -p target/sbf/bin
    ln -sf "$PWD/${CARGO_TARGET_DIR:-target}/debug/ballast-sbf" target/sbf/bin/cargo-build-sbf
    PATH="$PWD/target/sbf/bin:$PATH"
    export PATH
fi
