//! Anything at all as an account, a reading, limits and sources: a result or a named refusal, never a panic.
use ballast_oracle::stake_pool::{self, CappedRate};
use ballast_oracle::{
    check, check_age, combine, off_slow, Checked, Identity, IndexPolicy, Last, Limits, Reading, SourceKind, Valid,
};

use crate::accounts::{of, pool, KEY};

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

fn limits(random: &mut Random) -> Limits {
    Limits {
        max_age_seconds: random.sized() as u32,
        max_age_slots: random.sized() as u32,
        max_confidence_ppm: random.sized() as u32,
        max_step_ppm: random.sized() as u32,
    }
}

/// All that can follow a reading.
fn follow(reading: &Reading, random: &mut Random) -> bool {
    let bound = Identity {
        id: &reading.id,
        queue: &reading.queue,
        hash: &reading.hash,
    };
    let last = Last {
        price: random.sized() as i64,
        publish_time: random.sized() as i64,
    };
    let limits = limits(random);
    // Mostly not long after.
    let (now, slot) = match random.bits() % 4 {
        0 => (random.sized() as i64, random.sized()),
        _ => {
            let later = random.bits() % 1_000;
            let now = reading.publish_time.saturating_add(later as i64);
            (now, reading.slot.saturating_add(later))
        }
    };
    let _ = (
        reading.ratio(),
        reading.deviation(),
        reading.is_current(slot, random.sized() as u32),
    );
    let _ = check_age(random.sized() as i64, random.sized(), &limits, now, slot);
    match check(reading, &bound, &limits, &last, now, slot) {
        Ok(Checked::New(quote) | Checked::Known(quote)) => {
            assert!(quote.price > 0 && quote.confidence >= 0 && quote.publish_time > 0);
            assert!(quote.publish_time <= now && quote.first_slot <= slot && quote.slot <= slot);
            true
        }
        Ok(Checked::Older) => false,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

#[test]
fn readings_of_anything() {
    let mut random = Random(1);
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
        taken += u32::from(follow(&reading, &mut random));
    }
    assert!(taken > 100, "{taken}: a check that nothing passes would say nothing");
}

#[test]
fn accounts_of_anything() {
    let mut random = Random(2);
    let mut read = [0u32; 4];
    for n in 0..40_000usize {
        let kind = SourceKind::ALL[n % 4];
        let mut data = of(kind);
        let changes = random.bits() % 12;
        for _ in 0..changes {
            let at = random.bits() as usize % data.len();
            data[at] = random.bits() as u8;
        }
        if random.bits().is_multiple_of(8) {
            data.truncate(random.bits() as usize % (data.len() + 1));
        }
        for (count, other) in read.iter_mut().zip(SourceKind::ALL) {
            if let Ok(reading) = other.read(&other.programs()[0], &KEY, &data) {
                assert_eq!(other, kind);
                *count += 1;
                follow(&reading, &mut random);
            }
        }
    }
    assert!(read.iter().all(|count| (1_000..10_000).contains(count)), "{read:?}");
}

#[test]
fn pools_of_anything() {
    let mut random = Random(3);
    let mut rates = 0;
    for _ in 0..40_000 {
        let mut data = pool();
        for _ in 0..random.bits() % 12 {
            let at = random.bits() as usize % data.len();
            data[at] = random.bits() as u8;
        }
        if random.bits().is_multiple_of(8) {
            data.truncate(random.bits() as usize % (data.len() + 1));
        }
        let Ok(pool) = stake_pool::read(&stake_pool::PROGRAM, &data) else {
            continue;
        };
        rates += u32::from(pool.rate(800).is_ok());
        let last = CappedRate {
            rate: random.sized() as i64,
            time: random.sized() as i64,
        };
        let (new, now) = (random.sized() as i64, random.sized() as i64);
        let next = stake_pool::capped_rate(last, new, now, random.sized() as u32);
        assert!(next.rate <= new.max(last.rate) && next.time >= last.time.min(now));
        let _ = stake_pool::price(random.sized() as i64, random.sized() as i64, random.sized() as i64);
    }
    assert!(rates > 1_000, "{rates}");
}

#[test]
fn sources_of_anything() {
    let mut random = Random(4);
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
        let Ok(index) = combine(&sources, &policy) else {
            continue;
        };
        let prices = || {
            sources
                .iter()
                .flatten()
                .filter(|s| s.weight > 0 && s.price > 0)
                .map(|s| s.price)
        };
        assert!(prices().min() <= Some(index.price) && Some(index.price) <= prices().max());
        assert!(!(index.apart && index.outliers != 0));
        off_slow(
            &index,
            random.sized() as i64,
            random.sized() as u32,
            random.sized() as u32,
        );
    }
}
