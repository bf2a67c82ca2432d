//! Every way to fail aborts the transaction and says why.

use solana_instruction::AccountMeta;

use crate::machine::{address, readonly, writable, Machine, SYSTEM};

/// The program's ways to fail, for the line that a panic must name.
const SOURCE: &str = include_str!("../../vectors/src/failures.rs");

/// What is expected of a call.
enum Expected {
    Success,
    /// The error or the log says this.
    Failure(&'static str),
    /// It panics, and the log names the file and the line of this text.
    Panic(&'static str),
}
use Expected::{Failure, Panic, Success};

/// The place in the program's `Failure`, values, and what is expected: most ways come with a value that is fine, so
/// that the check is shown to be exact.
const PATHS: &[(u8, u64, Expected)] = &[
    (0, 2, Success),
    (0, 3, Panic("Failure::IndexOutOfBounds =>")),
    (1, 0, Success),
    (1, 1, Panic("Failure::AddOverflow =>")),
    (2, 2, Success),
    (2, 3, Panic("Failure::MultiplyOverflow =>")),
    (3, 98, Panic("Failure::SignedSubtractOverflow =>")),
    (3, 99, Success),
    (4, 1, Success),
    (4, 2, Panic("Failure::WideMultiplyOverflow =>")),
    (5, 7, Success),
    (5, 0, Panic("Failure::DivideByZero =>")),
    (6, 42, Success),
    (6, 41, Failure("Custom(6001)")),
    (7, 0, Failure("Custom(6000)")),
    (8, 6, Success),
    (8, 5, Panic("Failure::UnwrapNone =>")),
    (9, 1, Panic("Failure::Panic =>")),
    (10, 0, Failure("Access violation")),
    (11, 10, Success),
    (11, 50, Success),
    (11, 100, Failure("call depth")),
    (12, 5, Success),
    (12, 1 << 40, Panic("Failure::FailedConversion =>")),
    (13, 30_000, Success),
    (13, 40_000, Failure("out of memory")),
    (14, 3, Success),
    (14, 4, Panic("Failure::SliceIndex =>")),
];

/// What the log says of a panic in the line that has `text` in it.
fn panic_at(text: &str) -> String {
    let line = SOURCE
        .lines()
        .position(|line| line.contains(text))
        .expect("the text is in the source");
    format!("Panicked in src/failures.rs at {}:", line + 1)
}

#[test]
fn every_failing_path_aborts_and_says_why() {
    let mut machine = Machine::new();
    for (kind, value, expected) in PATHS {
        let arguments = [&[*kind][..], &value.to_le_bytes()].concat();
        let result = machine.call("fail", &arguments, vec![]);
        let message = match expected {
            Success => {
                assert!(result.is_ok(), "way {kind} with {value} should succeed: {result:#?}");
                continue;
            }
            Failure(text) => text.to_string(),
            Panic(text) => panic_at(text),
        };
        match result {
            Ok(_) => panic!("way {kind} with {value} should fail: {message}"),
            Err(failure) => assert!(
                failure.says(&message),
                "way {kind} with {value}: {message}, {failure:#?}"
            ),
        }
    }
}

#[test]
fn unknown_instructions_and_bad_arguments_are_refused() {
    let mut machine = Machine::new();
    let unknown = machine.call("no_such_instruction", &[], vec![]).expect_err("refused");
    assert!(unknown.says("Custom(101)"), "{unknown:#?}");
    let short = machine.call("fail", &[0], vec![]).expect_err("refused");
    assert!(short.says("Custom(102)"), "{short:#?}");
    // One more than the program's last way to fail.
    let variant = machine
        .call("fail", &[&[15][..], &[0; 8]].concat(), vec![])
        .expect_err("refused");
    assert!(variant.says("Custom(102)"), "{variant:#?}");
}

#[test]
fn missing_signatures_and_wrong_owners_are_refused() {
    let mut machine = Machine::new();
    let stranger = solana_address::Address::new_unique();
    let data = solana_address::Address::find_program_address(&[b"data", stranger.as_ref()], &machine.program).0;
    let accounts = vec![
        writable(data),
        AccountMeta::new(stranger, false),
        readonly(address(SYSTEM)),
    ];
    let unsigned = machine
        .call("initialize", &7u64.to_le_bytes(), accounts)
        .expect_err("refused");
    // AccountNotSigner
    assert!(unsigned.says("Custom(3010)"), "{unsigned:#?}");

    let foreign = solana_address::Address::new_unique();
    machine.put(foreign, address(SYSTEM), vec![0; 5_200]);
    let arguments = 0u64.to_le_bytes();
    let me = AccountMeta::new_readonly(machine.me(), true);
    let wrong_owner = machine
        .call("change_book", &arguments, vec![writable(foreign), me])
        .expect_err("refused");
    // AccountOwnedByWrongProgram
    assert!(wrong_owner.says("Custom(3007)"), "{wrong_owner:#?}");
}
