//! Anything at all as an account, a reading, limits and sources: a result or a named refusal, never a panic.
use std::collections::BTreeMap;

use ballast_oracle::{combine, IndexPolicy, Last, Limits, Reading, Valid};

use crate::accounts::KEY;
use crate::laws::{check, check_index, price, Verdict};

/// SplitMix64: the same bytes in every run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Of any size, so that small numbers turn up as often as large ones; now and then the ends.
    fn sized(&mut self) -> u64 {
        match self.bits() % 16 {
            0 => u64::MAX,
            1 => 1 << 63,
            2 => i64::MAX as u64,
            _ => self.bits() >> (self.bits() % 64),
        }
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.sized()) << 64 >> (self.bits() % 128) | u128::from(self.sized())
    }
}

/// What the fuzz target goes through, from a seeded generator.
#[test]
fn accounts_of_anything() {
    let mut random = Random(1);
    let mut ends: BTreeMap<(u8, Verdict), u32> = BTreeMap::new();
    for n in 0..100_000 {
        let mut input: Vec<u8> = (0..200).map(|_| random.bits() as u8).collect();
        input[0] = n as u8;
        // A last price of none, for some to pass.
        if n % 2 == 0 {
            input[17..25].fill(0);
        }
        let end = (input[0] % 5, check(&input));
        *ends.entry(end).or_default() += 1;
    }
    println!("{ends:?}");
    for kind in 0..5 {
        for verdict in [Verdict::Refused, Verdict::Read, Verdict::Taken] {
            let count = ends.get(&(kind, verdict)).copied().unwrap_or(0);
            assert!(
                count > 500,
                "{kind} {verdict:?}: {count}: what nothing reaches says nothing"
            );
        }
    }
}

#[test]
fn readings_of_anything() {
    let mut random = Random(2);
    let mut taken = 0;
    for _ in 0..200_000 {
        let slot = random.sized();
        let reading = Reading {
            id: KEY,
            queue: KEY,
            hash: KEY,
            price: random.wide() as i128,
            confidence: random.wide() >> (random.bits() % 128),
            exponent: random.sized() as i32 % 20 - 10,
            publish_time: random.sized() as i64,
            slot,
            first_slot: slot.saturating_sub(random.sized()),
            own_max_slots: random.sized() as u32,
            samples: random.sized() as u32,
        };
        let limits = Limits {
            max_age_seconds: random.sized() as u32,
            max_age_slots: random.sized() as u32,
            max_confidence_ppm: random.sized() as u32,
            max_step_ppm: random.sized() as u32,
        };
        let last = Last {
            price: random.sized() as i64,
            publish_time: random.sized() as i64,
        };
        // Mostly not long after.
        let (now, slot) = match random.bits() % 4 {
            0 => (random.sized() as i64, random.sized()),
            _ => {
                let later = random.bits() % 1_000;
                (
                    reading.publish_time.saturating_add(later as i64),
                    slot.saturating_add(later),
                )
            }
        };
        taken += u32::from(price(&reading, &limits, &last, now, slot).is_some());
    }
    assert!(taken > 100, "{taken}: a check that nothing passes would say nothing");
}

#[test]
fn sources_of_anything() {
    let mut random = Random(3);
    for _ in 0..200_000 {
        let mut source = || {
            (!random.bits().is_multiple_of(4)).then(|| Valid {
                price: random.sized() as i64,
                confidence: random.sized() as i64,
                publish_time: random.sized() as i64,
                weight: random.sized() as u16,
            })
        };
        let sources = [source(), source(), source()];
        let policy = IndexPolicy {
            primary_alone: random.bits().is_multiple_of(2),
            max_deviation_ppm: random.sized() as u32,
        };
        if let Ok(index) = combine(&sources, &policy) {
            check_index(&sources, &index);
        }
    }
}
