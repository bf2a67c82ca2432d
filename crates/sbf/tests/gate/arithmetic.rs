//! Random vectors over every case, on the chain against native.

use std::collections::BTreeMap;

use solana_address::Address;

use crate::cases::{self, Inputs};
use crate::machine::{wide, word, writable, Machine};

const OUTCOME_BYTES: usize = 24;
/// Vectors per transaction, which must fit the compute budget and the heap.
const PER_ROUND: u64 = 200;

/// Runs `rounds` transactions of vectors; returns how often each case ran.
fn compare(machine: &mut Machine, first_round: u64, rounds: u64) -> BTreeMap<u64, u64> {
    let out = Address::new_unique();
    machine.put(out, machine.program, vec![0; OUTCOME_BYTES * PER_ROUND as usize]);
    let mut runs = BTreeMap::new();
    for round in first_round..first_round + rounds {
        let seed = 0x9E37_79B9_7F4A_7C15u64.wrapping_mul(round + 1);
        let arguments = [seed.to_le_bytes(), PER_ROUND.to_le_bytes()].concat();
        if let Err(failure) = machine.call("run_cases", &arguments, vec![writable(out)]) {
            panic!("round {round}: {failure:#?}");
        }
        let data = machine.data(out);
        for ((number, a, b), place) in Inputs::new(seed).zip(data.chunks_exact(OUTCOME_BYTES)) {
            let (name, run) = cases::case(number);
            let on_chain = (wide(place, 0), word(place, 16));
            let native = run(a, b);
            assert_eq!(
                on_chain, native,
                "{name} of {a:#x} and {b:#x}: on the chain, and native"
            );
            *runs.entry(number).or_default() += 1;
        }
    }
    runs
}

#[test]
fn random_vectors_of_every_case_equal_native() {
    let rounds = 1_000;
    let runs = compare(&mut Machine::new(), 0, rounds);
    assert_eq!(runs.values().sum::<u64>(), rounds * PER_ROUND);
    assert_eq!(runs.len() as u64, cases::count(), "every case ran");
    let average = rounds * PER_ROUND / cases::count();
    for (number, count) in runs {
        assert!(
            count > average / 2,
            "case {} ran {count} times only",
            cases::case(number).0
        );
    }
}
