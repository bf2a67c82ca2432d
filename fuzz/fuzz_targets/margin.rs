//! Arbitrary bytes as a board and an account: a margin that keeps the methodology's laws, or a refusal with a name.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ballast_fuzz_checks::check(data);
});
