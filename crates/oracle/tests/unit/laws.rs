//! What must hold for an account of arbitrary bytes under arbitrary limits. The tests call it with a sample, the fuzz target with whatever
//! libFuzzer comes up with.
use ballast_oracle::stake_pool::{self, CappedRate, StakePool};
use ballast_oracle::{
    check as guards, check_age, combine, off_slow, pyth_pull, pyth_push, switchboard_on_demand, switchboard_v2,
    Checked, Identity, Index, IndexPolicy, Last, Limits, Quote, Reading, SourceKind, Valid, SOURCES,
};

use crate::accounts::{of, pool, KEY, SLOT, TIME};

/// How far an account came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No adapter reads it.
    Refused,
    /// Read, and kept by a guard.
    Read,
    /// A price, or a rate.
    Taken,
}

/// Choices out of a string of bytes; zeros after its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let len = self.0.len().min(N);
        let (head, rest) = self.0.split_at(len);
        out[..len].copy_from_slice(head);
        self.0 = rest;
        out
    }

    fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }

    /// An account as it is, or a sound one with some of its bytes changed, shortened or lengthened.
    fn account(&mut self, sound: Vec<u8>) -> Vec<u8> {
        if self.byte() < 64 {
            return self.0.to_vec();
        }
        let mut data = sound;
        match self.byte() {
            0..=15 => data.truncate(usize::from(u16::from_le_bytes(self.take())) % data.len()),
            16..=19 => data.push(0),
            _ => {}
        }
        for _ in 0..self.byte() % 8 {
            let at = usize::from(u16::from_le_bytes(self.take()));
            let value = self.take::<8>();
            for (byte, new) in data.iter_mut().skip(at).zip(value) {
                *byte = new;
            }
        }
        data
    }
}

/// Checks one input.
///
/// # Panics
/// Where something overflows, or a law is broken.
pub fn check(input: &[u8]) -> Verdict {
    let mut bytes = Bytes(input);
    let number = bytes.byte() % 5;
    let Some(kind) = SourceKind::from_u8(number) else {
        return check_pool(&mut bytes);
    };
    let limits = Limits {
        max_age_seconds: bytes.u32(),
        max_age_slots: bytes.u32(),
        max_confidence_ppm: bytes.u32(),
        max_step_ppm: bytes.u32(),
    };
    let last = Last {
        price: bytes.i64(),
        publish_time: bytes.i64(),
    };
    let (now, slot) = match bytes.byte() {
        0..=63 => (bytes.i64(), bytes.u64()),
        later => (TIME + i64::from(later % 64), SLOT + u64::from(later % 64)),
    };
    let others = [arbitrary(&mut bytes), arbitrary(&mut bytes)];
    let data = bytes.account(of(kind));
    // An account is of one kind at most.
    let mut verdict = Verdict::Refused;
    for reader in SourceKind::ALL {
        let Ok(reading) = reader.read(&reader.programs()[0], &KEY, &data) else {
            continue;
        };
        assert!(
            verdict == Verdict::Refused && vendor_takes(reader, &data),
            "{reader:?}: {data:?}"
        );
        verdict = match price(&reading, &limits, &last, now, slot) {
            Some(quote) => {
                index(&quote, others);
                Verdict::Taken
            }
            None => Verdict::Read,
        };
    }
    verdict
}

/// What the vendors' own crates demand of an account before they give a price, as the tests against these crates find it.
fn vendor_takes(kind: SourceKind, data: &[u8]) -> bool {
    let starts = |mark: &[u8]| data.starts_with(mark);
    match kind {
        SourceKind::PythPull => data.len() == 134 && starts(&pyth_pull::DISCRIMINATOR) && data[40] == 1,
        SourceKind::SwitchboardOnDemand => {
            data.len() == 3_208 && starts(&switchboard_on_demand::DISCRIMINATOR) && data[2_368..2_376] != [0; 8]
        }
        SourceKind::PythPush => {
            data.len() == 3_312
                && starts(&pyth_push::MAGIC.to_le_bytes())
                && data[4..12] == [2, 0, 0, 0, 3, 0, 0, 0]
                && data[224] == 1
        }
        SourceKind::SwitchboardV2 => {
            let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes"));
            data.len() == 3_851
                && starts(&switchboard_v2::DISCRIMINATOR)
                && word(341) >= word(236)
                && word(382) <= 28
                && word(402) <= 28
        }
    }
}

/// Takes a reading through everything that follows one.
pub fn price(reading: &Reading, limits: &Limits, last: &Last, now: i64, slot: u64) -> Option<Quote> {
    let bound = Identity {
        id: &reading.id,
        queue: &reading.queue,
        hash: &reading.hash,
    };
    let _ = (reading.ratio(), reading.deviation());
    let _ = reading.is_current(slot, limits.max_age_seconds);
    let quote = match guards(reading, &bound, limits, last, now, slot) {
        Ok(Checked::New(quote)) => {
            assert!(quote.publish_time > last.publish_time);
            quote
        }
        Ok(Checked::Known(quote)) => {
            assert_eq!(quote.publish_time, last.publish_time);
            quote
        }
        Ok(Checked::Older) => return None,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    assert!(quote.price > 0 && quote.confidence >= 0 && quote.publish_time > 0 && quote.publish_time <= now);
    assert!(quote.first_slot <= slot && quote.slot <= slot);
    assert_eq!(
        check_age(quote.publish_time, quote.first_slot, limits, now, slot),
        Ok(())
    );
    Some(quote)
}

/// A source that says anything.
fn arbitrary(bytes: &mut Bytes) -> (Option<Valid>, u32) {
    let valid = Valid {
        price: bytes.i64(),
        confidence: bytes.i64(),
        publish_time: bytes.i64(),
        weight: u16::from_le_bytes(bytes.take()),
    };
    ((bytes.byte() < 192).then_some(valid), bytes.u32())
}

fn index(quote: &Quote, [(second, ppm), (third, seconds)]: [(Option<Valid>, u32); 2]) {
    let first = Some(Valid {
        price: quote.price,
        confidence: quote.confidence,
        publish_time: quote.publish_time,
        weight: 1,
    });
    let policy = IndexPolicy {
        primary_alone: true,
        max_deviation_ppm: ppm,
    };
    let sources = [first, second, third];
    let index = combine(&sources, &policy).expect("the primary alone will do");
    check_index(&sources, &index);
    off_slow(&index, quote.price, seconds, ppm);
}

/// An index lies among its sources, and no one source is both in it and named.
pub fn check_index(sources: &[Option<Valid>; SOURCES], index: &Index) {
    let valid = || sources.iter().flatten().filter(|s| s.weight > 0 && s.price > 0);
    let prices = || valid().map(|s| s.price);
    assert!(prices().min() <= Some(index.price) && Some(index.price) <= prices().max());
    assert!(!(index.apart && index.outliers != 0));
    assert_eq!(
        index.outliers.count_ones() as usize + usize::from(index.sources),
        valid().count()
    );
}

fn check_pool(bytes: &mut Bytes) -> Verdict {
    let last = CappedRate {
        rate: bytes.i64(),
        time: bytes.i64(),
    };
    let (now, price, confidence) = (bytes.i64(), bytes.i64(), bytes.i64());
    let (epoch, ppm) = (800 + u64::from(bytes.byte() % 3), bytes.u32());
    let data = bytes.account(pool());
    let Ok(read) = stake_pool::read(&stake_pool::PROGRAM, &data) else {
        return Verdict::Refused;
    };
    assert!(data.len() == 611 && data[0] == 1);
    match rate(&read, last, epoch, now, ppm) {
        Some(rate) => {
            if let Ok((staked, wider)) = stake_pool::price(price, confidence, rate) {
                assert!(staked > 0 && wider >= 0);
            }
            Verdict::Taken
        }
        None => Verdict::Read,
    }
}

/// The rate of a pool, held to the cap.
fn rate(pool: &StakePool, last: CappedRate, epoch: u64, now: i64, ppm: u32) -> Option<i64> {
    let rate = pool.rate(epoch).ok()?;
    assert!(rate.epoch <= epoch && (500_000_001..10_000_000_000).contains(&rate.rate));
    let next = stake_pool::capped_rate(last, rate.rate, now, ppm);
    assert!(next.rate <= rate.rate && next.time <= now.max(last.time));
    assert!(next.rate == rate.rate || next.rate >= last.rate);
    Some(next.rate)
}
