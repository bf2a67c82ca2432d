//! The ledger against a naive one, and its edges.
use std::collections::BTreeMap;

use super::*;

const LATER: i64 = 1_000;

fn ledger() -> QuoteLedger {
    bytemuck::Zeroable::zeroed()
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(result: Result<T>, error: BallastError) {
    assert_eq!(result.unwrap_err(), fail(error));
}

#[test]
fn a_nonce_is_used_up_by_its_units() {
    let mut ledger = ledger();
    assert_eq!(ledger.fill(7, 3, 10, LATER, 0).unwrap(), 7);
    assert_eq!(ledger.fill(7, 5, 10, LATER, 0).unwrap(), 2);
    refuses(ledger.fill(7, 3, 10, LATER, 0), BallastError::QuoteTooLarge);
    refuses(ledger.fill(7, u64::MAX, 10, LATER, 0), BallastError::QuoteTooLarge);
    assert_eq!(ledger.fill(7, 2, 10, LATER, 0).unwrap(), 0);
    refuses(ledger.fill(7, 1, 10, LATER, 0), BallastError::QuoteSpent);
    refuses(ledger.cancel(7), BallastError::QuoteSpent);
    assert!(ledger.partial.iter().all(|slot| *slot == PartialQuote::default()));
}

/// Two quotes of one nonce share what is filled: the one of 10 units leaves nothing of the one of 4.
#[test]
fn quotes_of_one_nonce_are_alternatives() {
    let mut ledger = ledger();
    assert_eq!(ledger.fill(0, 5, 10, LATER, 0).unwrap(), 5);
    refuses(ledger.fill(0, 1, 4, LATER, 0), BallastError::QuoteTooLarge);
    assert_eq!(ledger.fill(0, 1, 6, LATER, 0).unwrap(), 0);
    refuses(ledger.fill(0, 1, 10, LATER, 0), BallastError::QuoteSpent);
}

#[test]
fn the_window_is_1024_nonces_from_the_floor() {
    let mut ledger = ledger();
    ledger.raise_floor(100).unwrap();
    refuses(ledger.fill(99, 1, 1, LATER, 0), BallastError::QuoteVoid);
    refuses(ledger.fill(1_124, 1, 1, LATER, 0), BallastError::QuoteNonceTooHigh);
    refuses(ledger.cancel(99), BallastError::QuoteVoid);
    refuses(ledger.cancel(1_124), BallastError::QuoteNonceTooHigh);
    assert_eq!(ledger.fill(100, 1, 1, LATER, 0).unwrap(), 0);
    assert_eq!(ledger.fill(1_123, 1, 1, LATER, 0).unwrap(), 0);
    // 100 and 1,124 have one bit.
    ledger.raise_floor(101).unwrap();
    assert_eq!(ledger.fill(1_124, 1, 1, LATER, 0).unwrap(), 0);
    refuses(ledger.fill(100, 1, 1, LATER, 0), BallastError::QuoteVoid);
    refuses(ledger.fill(1_123, 1, 1, LATER, 0), BallastError::QuoteSpent);
}

#[test]
fn the_floor_only_rises_and_not_past_the_numbers() {
    let mut ledger = ledger();
    refuses(ledger.raise_floor(0), BallastError::QuoteFloorOutOfRange);
    ledger.raise_floor(5).unwrap();
    for floor in [0, 4, 5, MAX_QUOTE_FLOOR + 1, u64::MAX] {
        refuses(ledger.raise_floor(floor), BallastError::QuoteFloorOutOfRange);
    }
    ledger.raise_floor(MAX_QUOTE_FLOOR).unwrap();
    assert_eq!(ledger.fill(MAX_QUOTE_FLOOR + 1_023, 1, 1, LATER, 0).unwrap(), 0);
}

#[test]
fn a_full_ledger_takes_whole_fills_and_makes_room_of_what_has_expired() {
    let mut ledger = ledger();
    for nonce in 0..32 {
        ledger.fill(nonce, 1, 2, LATER + nonce as i64, 0).unwrap();
    }
    refuses(ledger.fill(40, 1, 2, LATER, 0), BallastError::TooManyPartialQuotes);
    assert_eq!(ledger.fill(40, 2, 2, LATER, 0).unwrap(), 0);
    // A second later than its last second the first of them makes room, and is spent.
    refuses(
        ledger.fill(41, 1, 2, LATER, LATER - 1),
        BallastError::TooManyPartialQuotes,
    );
    assert_eq!(ledger.fill(41, 1, 2, 2 * LATER, LATER).unwrap(), 1);
    refuses(ledger.fill(0, 1, 2, LATER, LATER), BallastError::QuoteSpent);
    // A cancelled one and one under the floor make room too.
    ledger.cancel(1).unwrap();
    assert_eq!(ledger.fill(42, 1, 2, 2 * LATER, 0).unwrap(), 1);
    refuses(ledger.fill(43, 1, 2, LATER, 0), BallastError::TooManyPartialQuotes);
    ledger.raise_floor(3).unwrap();
    assert_eq!(ledger.fill(43, 1, 2, LATER, 0).unwrap(), 1);
}

/// What a ledger has to know, without windows, bits and slots.
#[derive(Default)]
struct Naive {
    floor: u64,
    spent: BTreeMap<u64, ()>,
    filled: BTreeMap<u64, u64>,
}

impl Naive {
    fn is_open(&self, nonce: u64) -> bool {
        nonce >= self.floor && nonce < self.floor + 1_024 && !self.spent.contains_key(&nonce)
    }

    fn fill(&mut self, nonce: u64, units: u64, max_units: u64) -> Option<u64> {
        let filled = self.filled.get(&nonce).copied().unwrap_or(0);
        if !self.is_open(nonce) || filled + units > max_units {
            return None;
        }
        if filled + units == max_units {
            self.spent.insert(nonce, ());
            self.filled.remove(&nonce);
        } else if filled == 0 && self.filled.len() == 32 {
            return None;
        } else {
            self.filled.insert(nonce, filled + units);
        }
        Some(max_units - filled - units)
    }

    fn cancel(&mut self, nonce: u64) -> bool {
        let open = self.is_open(nonce);
        if open {
            self.spent.insert(nonce, ());
            self.filled.remove(&nonce);
        }
        open
    }

    fn raise(&mut self, floor: u64) -> bool {
        let rises = floor > self.floor;
        if rises {
            self.floor = floor;
            self.filled.retain(|nonce, _| *nonce >= floor);
        }
        rises
    }
}

#[test]
fn agrees_with_a_naive_ledger() {
    let (mut ledger, mut naive) = (ledger(), Naive::default());
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let (mut fills, mut raises) = (0, 0);
    for _ in 0..200_000 {
        let nonce = (naive.floor + random(1_200)).saturating_sub(100);
        match random(20) {
            0 => assert_eq!(ledger.cancel(nonce).is_ok(), naive.cancel(nonce)),
            1 => {
                let most = [3, 70, 700, 3_000][random(4) as usize];
                let floor = (naive.floor + random(most)).saturating_sub(1);
                let rises = naive.raise(floor);
                raises += u64::from(rises);
                assert_eq!(ledger.raise_floor(floor).is_ok(), rises);
            }
            _ => {
                let (units, max_units) = (1 + random(3), 1 + random(4));
                let left = naive.fill(nonce, units, max_units);
                fills += u64::from(left.is_some());
                assert_eq!(ledger.fill(nonce, units, max_units, i64::MAX, 0).ok(), left);
            }
        }
        assert_eq!(ledger.floor, naive.floor);
        let partial = ledger.partial.iter().filter(|slot| slot.units != 0);
        let partial: BTreeMap<u64, u64> = partial.map(|slot| (slot.nonce, slot.units)).collect();
        assert_eq!(partial, naive.filled);
    }
    assert!(fills > 50_000 && raises > 5_000, "{fills} fills, {raises} raises");
}
