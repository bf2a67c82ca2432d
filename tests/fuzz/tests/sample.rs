//! A sample of inputs from a seeded generator, so that every test run goes through what the fuzz target checks.
use std::collections::BTreeMap;

use ballast_fuzz_checks::{check, Mode, Verdict};

/// Inputs of one run.
const INPUTS: u64 = 24_000;

/// SplitMix64: the same bytes in every run.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn input(&mut self) -> Vec<u8> {
        let length = 1 + self.next() as usize % 1_500;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn arbitrary_bytes_have_a_margin_or_a_named_refusal() {
    let mut source = Source(2_027);
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let (mut sound, mut evaluated) = (0, 0);
    for _ in 0..INPUTS {
        let input = source.input();
        let verdict = check(&input);
        if Mode::of(&input) == Mode::Sound {
            sound += 1;
            evaluated += u64::from(verdict == Verdict::Evaluated);
        }
        *ends.entry(format!("{:?} {verdict:?}", Mode::of(&input))).or_default() += 1;
    }
    for (end, count) in &ends {
        println!("{end}: {count}");
    }
    // A check of laws that nothing reaches would say nothing.
    assert!(
        sound > INPUTS / 3 && evaluated * 10 >= sound * 3,
        "{evaluated} of {sound}"
    );
}

/// Inputs that once broke a check stay checked.
#[test]
fn inputs_that_the_fuzzer_found() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/inputs");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the folder of inputs") {
        let input = std::fs::read(file.expect("a file").path()).expect("an input");
        check(&input);
        count += 1;
    }
    assert!(count > 0);
}
