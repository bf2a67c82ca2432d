//! Programs that do not fit the machine do not build, with the culprit's name; and a build gives the same bytes.

use std::fs::{self, File};
use std::time::SystemTime;

use crate::build::{build_vectors, output_folder, vectors};

/// The builder's messages for a build that must fail.
fn refused(arguments: &[&str]) -> String {
    let output = build_vectors(&output_folder("refused"), arguments);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} should not build:\n{messages}");
    messages
}

#[test]
fn a_frame_over_4096_bytes_names_the_function() {
    let messages = refused(&["--features", "large-frame"]);
    assert!(messages.contains("failures::large_frame"), "{messages}");
    assert!(messages.contains("is larger than 4,096 bytes"), "{messages}");
}

#[test]
fn a_writable_static_is_named() {
    let messages = refused(&["--features", "writable-static"]);
    assert!(messages.contains("writable static"), "{messages}");
    assert!(messages.contains("failures::COUNTER"), "{messages}");
}

#[test]
fn a_program_over_the_size_limit_is_refused() {
    let messages = refused(&["--max-size", "1000"]);
    assert!(messages.contains("more than the 1000 allowed"), "{messages}");
}

#[test]
fn a_second_build_gives_the_same_bytes() {
    let first = vectors();
    // A source that looks newer is compiled and linked again, by whichever test builds next.
    let touched = SystemTime::now();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/src/lib.rs");
    let result = File::options()
        .append(true)
        .open(source)
        .and_then(|file| file.set_modified(touched));
    result.expect("the source can be touched");
    let out = output_folder("again");
    let output = build_vectors(&out, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let linked = output_folder("sbf/sbf-solana-solana/release/libballast_sbf_vectors.so");
    let linked = fs::metadata(linked)
        .and_then(|file| file.modified())
        .expect("the program as linked");
    assert!(linked > touched, "it was built again");
    let second = fs::read(out.join("ballast_sbf_vectors.so")).expect("the program");
    assert!(
        first == second,
        "two builds differ: {} and {} bytes",
        first.len(),
        second.len()
    );
}
