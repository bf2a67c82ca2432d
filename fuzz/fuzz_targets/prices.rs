//! Arbitrary bytes as the account of a price source or a stake pool: a price that keeps its laws, or a refusal with a name.
#![no_main]

#[path = "../../crates/oracle/tests/unit/accounts.rs"]
mod accounts;
#[path = "../../crates/oracle/tests/unit/laws.rs"]
mod laws;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    laws::check(data);
});
