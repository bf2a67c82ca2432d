//! Both sides of every guard, and their order.
use ballast_oracle::OracleError::{self, *};
use ballast_oracle::{check, check_age, Checked, Guard, Identity, Last, Limits, Quote, Reading};

use crate::accounts::{FEED, HASH, QUEUE, SLOT, TIME};

/// 61,234.56789012 ± 12.3, read ten seconds and 25 slots after it was published.
const READING: Reading = Reading {
    id: FEED,
    queue: QUEUE,
    hash: HASH,
    price: 6_123_456_789_012,
    confidence: 1_230_000_000,
    exponent: -8,
    publish_time: TIME,
    slot: SLOT,
    first_slot: SLOT,
    own_max_slots: 0,
    samples: 3,
};
const BOUND: Identity = Identity {
    id: &FEED,
    queue: &QUEUE,
    hash: &HASH,
};
const LIMITS: Limits = Limits {
    max_age_seconds: 10,
    max_age_slots: 25,
    max_confidence_ppm: 201, // 12.3 / 61,234.57 is 200.87 · 10⁻⁶
    max_step_ppm: 10_000,    // 1 % a second
};
const NONE: Last = Last {
    price: 0,
    publish_time: 0,
};
const NOW: i64 = TIME + 10;
const NOW_SLOT: u64 = SLOT + 25;

fn now(reading: &Reading) -> Result<Checked, OracleError> {
    check(reading, &BOUND, &LIMITS, &NONE, NOW, NOW_SLOT)
}

fn quote(result: Result<Checked, OracleError>) -> Result<Quote, OracleError> {
    result.map(|checked| match checked {
        Checked::New(quote) => quote,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_sound_reading_becomes_a_quote() {
    let expected = Quote {
        price: 61_234_567_890_120,
        confidence: 12_300_000_000,
        publish_time: TIME,
        slot: SLOT,
        first_slot: SLOT,
    };
    assert_eq!(now(&READING), Ok(Checked::New(expected)));
}

#[test]
fn identity_is_that_bound() {
    let other = [1; 32];
    let against = |bound: Identity| check(&READING, &bound, &LIMITS, &NONE, NOW, NOW_SLOT);
    assert_eq!(against(Identity { id: &other, ..BOUND }), Err(WrongFeed));
    assert_eq!(against(Identity { queue: &other, ..BOUND }), Err(WrongQueue));
    assert_eq!(against(Identity { hash: &other, ..BOUND }), Err(WrongJobs));
    // Each bit counts, to the last.
    for bit in 0..256 {
        let mut id = FEED;
        id[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(against(Identity { id: &id, ..BOUND }), Err(WrongFeed));
    }
}

#[test]
fn age_in_seconds() {
    let at = |now| check(&READING, &BOUND, &LIMITS, &NONE, now, NOW_SLOT);
    assert_eq!(at(TIME - 1), Err(FromFuture));
    assert!(at(TIME).is_ok());
    assert!(at(TIME + 10).is_ok());
    assert_eq!(at(TIME + 11), Err(TooOld));
    let dated = |publish_time, now| {
        let reading = Reading {
            publish_time,
            ..READING
        };
        check(&reading, &BOUND, &LIMITS, &NONE, now, NOW_SLOT)
    };
    assert!(dated(1, 11).is_ok());
    assert_eq!(dated(0, 5), Err(TooOld), "no time at all");
    assert_eq!(dated(-1, 5), Err(TooOld));
    assert_eq!(dated(i64::MIN, i64::MAX), Err(TooOld));
    assert_eq!(dated(i64::MAX, i64::MIN), Err(FromFuture));
}

#[test]
fn age_in_slots_is_that_of_the_oldest_answer() {
    let at = |slot| check(&READING, &BOUND, &LIMITS, &NONE, NOW, slot);
    assert_eq!(at(SLOT - 1), Err(SlotFromFuture));
    assert!(at(SLOT).is_ok());
    assert!(at(SLOT + 25).is_ok());
    assert_eq!(at(SLOT + 26), Err(TooManySlotsOld));
    let answers = |first_slot, slot, own_max_slots| {
        now(&Reading {
            slot,
            first_slot,
            own_max_slots,
            ..READING
        })
    };
    assert!(answers(SLOT, NOW_SLOT, 0).is_ok());
    assert_eq!(
        answers(SLOT - 1, NOW_SLOT, 0),
        Err(TooManySlotsOld),
        "one old answer among new ones"
    );
    assert_eq!(
        answers(SLOT, NOW_SLOT + 1, 0),
        Err(SlotFromFuture),
        "one answer to come"
    );
    assert!(answers(SLOT + 5, NOW_SLOT, 20).is_ok());
    assert_eq!(
        answers(SLOT + 4, NOW_SLOT, 20),
        Err(TooManySlotsOld),
        "the feed's own limit"
    );
    assert_eq!(
        answers(SLOT - 1, NOW_SLOT, 100),
        Err(TooManySlotsOld),
        "which lengthens nothing"
    );
}

#[test]
fn confidence_as_an_exact_part_of_the_price() {
    let limit = |max_confidence_ppm| Limits {
        max_confidence_ppm,
        ..LIMITS
    };
    let wide = |price, confidence, ppm| {
        let reading = Reading {
            price,
            confidence,
            ..READING
        };
        check(&reading, &BOUND, &limit(ppm), &NONE, NOW, NOW_SLOT).map(|_| ())
    };
    // 1 % of 1,000,000,000 is 10,000,000.
    assert_eq!(wide(1_000_000_000, 10_000_000, 10_000), Ok(()));
    assert_eq!(wide(1_000_000_000, 10_000_001, 10_000), Err(TooUncertain));
    assert_eq!(wide(999_999_999, 10_000_000, 10_000), Err(TooUncertain));
    assert_eq!(wide(1_000_000_000, 0, 0), Ok(()));
    assert_eq!(wide(1_000_000_000, 1, 0), Err(TooUncertain));
    // Where the products need more than 128 bits: 2¹²⁶ · 10⁶.
    let price = 1i128 << 126;
    assert_eq!(wide(price, 1 << 126, 999_999), Err(TooUncertain));
    assert_eq!(wide(price, (1 << 126) + 1, 1_000_000), Err(TooUncertain));
    assert_eq!(wide(price, 1 << 126, 1_000_000), Err(OutOfRange), "past this guard");
    assert_eq!(wide(1, u128::MAX, u32::MAX), Err(TooUncertain));
    assert_eq!(
        wide(i128::MIN, 1 << 127, 1_000_000),
        Err(NotPositive),
        "past this guard"
    );
}

#[test]
fn only_positive_prices() {
    let price = |price, exponent| {
        let reading = Reading {
            price,
            exponent,
            confidence: 0,
            ..READING
        };
        quote(now(&reading)).map(|quote| quote.price)
    };
    assert_eq!(price(1, -8), Ok(10));
    assert_eq!(price(0, -8), Err(NotPositive));
    assert_eq!(price(-1, -8), Err(NotPositive));
    assert_eq!(price(i128::MIN, -8), Err(NotPositive));
    assert_eq!(price(0, 1), Err(NotPositive), "whatever the exponent");
    // Less than 10⁻⁹ is nothing.
    assert_eq!(price(1_000_000_000, -18), Ok(1));
    assert_eq!(price(999_999_999, -18), Err(NotPositive));
}

#[test]
fn exponents_and_range() {
    let scaled = |price, confidence, exponent| {
        let reading = Reading {
            price,
            confidence,
            exponent,
            ..READING
        };
        let limits = Limits {
            max_confidence_ppm: u32::MAX,
            ..LIMITS
        };
        quote(check(&reading, &BOUND, &limits, &NONE, NOW, NOW_SLOT)).map(|quote| (quote.price, quote.confidence))
    };
    // Prices round down, confidences up.
    assert_eq!(scaled(1_999_999_999, 1_000_000_001, -18), Ok((1, 2)));
    assert_eq!(scaled(1_999_999_999, 1_000_000_000, -18), Ok((1, 1)));
    assert_eq!(scaled(19, 11, -10), Ok((1, 2)));
    assert_eq!(scaled(19, 11, -9), Ok((19, 11)));
    assert_eq!(scaled(19, 11, -8), Ok((190, 110)));
    assert_eq!(scaled(9, 8, 0), Ok((9_000_000_000, 8_000_000_000)));
    for exponent in [-19, 1, i32::MIN, i32::MAX] {
        assert_eq!(scaled(19, 11, exponent), Err(BadExponent), "{exponent}");
    }
    // i64::MAX is 9,223,372,036.854775807 dollars.
    assert_eq!(scaled(9_223_372_036, 0, 0), Ok((9_223_372_036_000_000_000, 0)));
    assert_eq!(scaled(9_223_372_037, 0, 0), Err(OutOfRange));
    let most = i128::from(i64::MAX);
    assert_eq!(scaled(most, 0, -9), Ok((i64::MAX, 0)));
    assert_eq!(scaled(most + 1, 0, -9), Err(OutOfRange));
    assert_eq!(scaled(most * 1_000_000_000 + 999_999_999, 0, -18), Ok((i64::MAX, 0)));
    assert_eq!(scaled(most * 1_000_000_000 + 1_000_000_000, 0, -18), Err(OutOfRange));
    assert_eq!(scaled(most, most as u128 + 1, -9), Err(OutOfRange));
    assert_eq!(scaled(i128::MAX, 0, 0), Err(OutOfRange));
}

#[test]
fn publish_times_never_go_back() {
    let after = |publish_time| {
        let last = Last {
            price: 61_234_567_890_120,
            publish_time,
        };
        check(&READING, &BOUND, &LIMITS, &last, NOW, NOW_SLOT)
    };
    assert!(matches!(after(TIME - 1), Ok(Checked::New(_))));
    assert!(matches!(after(TIME), Ok(Checked::Known(_))));
    assert_eq!(after(TIME + 1), Ok(Checked::Older));
    // An older price is no news, however far off it is.
    let far = Last {
        price: 1,
        publish_time: TIME + 1,
    };
    assert_eq!(
        check(&READING, &BOUND, &LIMITS, &far, NOW, NOW_SLOT),
        Ok(Checked::Older)
    );
}

#[test]
fn steps_grow_with_the_seconds() {
    let step = |from: i64, to: i64, seconds: i64, ppm: u32| {
        let last = Last {
            price: from,
            publish_time: TIME - seconds,
        };
        let reading = Reading {
            price: i128::from(to),
            exponent: -9,
            confidence: 0,
            ..READING
        };
        let limits = Limits {
            max_step_ppm: ppm,
            ..LIMITS
        };
        check(&reading, &BOUND, &limits, &last, NOW, NOW_SLOT).map(|_| ())
    };
    // 1 % of 1,000,000 is 10,000 a second.
    for (seconds, most) in [(0, 10_000), (1, 10_000), (2, 20_000), (90, 900_000)] {
        assert_eq!(step(1_000_000, 1_000_000 + most, seconds, 10_000), Ok(()), "{seconds}");
        assert_eq!(
            step(1_000_000, 1_000_001 + most, seconds, 10_000),
            Err(TooFast),
            "{seconds}"
        );
        assert_eq!(step(1_000_000, 1_000_000 - most, seconds, 10_000), Ok(()), "{seconds}");
        assert_eq!(
            step(1_000_000, 999_999 - most, seconds, 10_000),
            Err(TooFast),
            "{seconds}"
        );
    }
    assert_eq!(step(1_000_000, 1_000_000, 1, 0), Ok(()));
    assert_eq!(step(1_000_000, 1_000_001, 1, 0), Err(TooFast));
    // The last digit of the largest prices.
    assert_eq!(step(i64::MAX, 1, 1, 1_000_000), Ok(()));
    assert_eq!(step(1, i64::MAX, TIME, u32::MAX), Err(TooFast));
    assert_eq!(step(i64::MAX, 1, TIME, u32::MAX), Ok(()));
    assert_eq!(step(0, i64::MAX, 1, 0), Ok(()), "the first price of all");
}

/// What each guard says about a reading that fails it and all behind it.
#[test]
fn guards_come_in_order() {
    let other = [1; 32];
    let wrong = Identity { id: &other, ..BOUND };
    let last = Last {
        price: 1,
        publish_time: TIME - 1,
    };
    let mut reading = Reading {
        price: -1,
        exponent: 1,
        confidence: u128::MAX,
        publish_time: TIME - 1,
        first_slot: SLOT - 1,
        ..READING
    };
    let mut seen = Vec::new();
    let mut run = |reading: &Reading, bound: &Identity| {
        let error = check(reading, bound, &LIMITS, &last, NOW, NOW_SLOT).expect_err("refused");
        seen.push(error.guard());
        error
    };
    assert_eq!(run(&reading, &wrong), WrongFeed);
    assert_eq!(run(&reading, &BOUND), TooOld);
    reading.publish_time = TIME;
    assert_eq!(run(&reading, &BOUND), TooManySlotsOld);
    reading.first_slot = SLOT;
    assert_eq!(run(&reading, &BOUND), TooUncertain);
    reading.confidence = 0;
    assert_eq!(run(&reading, &BOUND), NotPositive);
    reading.price = READING.price;
    assert_eq!(run(&reading, &BOUND), BadExponent);
    reading.exponent = -8;
    assert_eq!(run(&reading, &BOUND), TooFast);
    let order = [
        Guard::Identity,
        Guard::Seconds,
        Guard::Slots,
        Guard::Confidence,
        Guard::Sign,
        Guard::Exponent,
        Guard::Step,
    ];
    assert_eq!(seen, order);
    assert!(seen.is_sorted(), "the order is that of the guards' numbers");
    assert_eq!(Guard::SlowPrice as usize + 1, Guard::COUNT);
}

#[test]
fn what_is_on_the_board_ages_alike() {
    let age = |publish_time, first_slot| check_age(publish_time, first_slot, &LIMITS, NOW, NOW_SLOT);
    assert_eq!(age(TIME, SLOT), Ok(()));
    assert_eq!(age(TIME - 1, SLOT), Err(TooOld));
    assert_eq!(age(TIME, SLOT - 1), Err(TooManySlotsOld));
    assert_eq!(age(NOW + 1, SLOT), Err(FromFuture));
    assert_eq!(age(NOW, NOW_SLOT + 1), Err(SlotFromFuture));
}
