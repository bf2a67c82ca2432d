//! What each adapter reads, and what it refuses.
use ballast_oracle::OracleError::{self, *};
use ballast_oracle::{Reading, SourceKind};

use crate::accounts::{self, of, put, FEED, HASH, KEY, QUEUE, SLOT, TIME};

fn read(kind: SourceKind, data: &[u8]) -> Result<Reading, OracleError> {
    kind.read(&kind.programs()[0], &KEY, data)
}

/// The account of that kind with some bytes changed.
fn with<const N: usize>(kind: SourceKind, offset: usize, value: [u8; N]) -> Result<Reading, OracleError> {
    let mut data = of(kind);
    put(&mut data, offset, value);
    read(kind, &data)
}

#[test]
fn each_kind_reads_as_documented() {
    let pull = Reading {
        id: FEED,
        queue: [0; 32],
        hash: [0; 32],
        price: 6_123_456_789_012,
        confidence: 1_230_000_000,
        exponent: -8,
        publish_time: TIME,
        slot: SLOT,
        first_slot: SLOT,
        own_max_slots: 0,
        samples: 0,
    };
    assert_eq!(read(SourceKind::PythPull, &accounts::pyth_pull()), Ok(pull));
    let on_demand = Reading {
        id: KEY,
        queue: QUEUE,
        hash: HASH,
        price: 61_200_109_991_665_549_598_697,
        confidence: 3,
        exponent: -18,
        slot: SLOT + 2,
        first_slot: SLOT - 7,
        own_max_slots: 60,
        samples: 3,
        ..pull
    };
    assert_eq!(
        read(SourceKind::SwitchboardOnDemand, &accounts::on_demand()),
        Ok(on_demand)
    );
    let push = Reading {
        id: KEY,
        price: 100_000_750,
        confidence: 24_249,
        ..pull
    };
    assert_eq!(read(SourceKind::PythPush, &accounts::pyth_push()), Ok(push));
    let v2 = Reading {
        id: KEY,
        queue: QUEUE,
        hash: HASH,
        price: 23_620,
        confidence: 11, // 0.0105 in three decimals, up
        exponent: -3,
        samples: 3,
        ..pull
    };
    assert_eq!(read(SourceKind::SwitchboardV2, &accounts::v2()), Ok(v2));
}

/// Base58, digit by digit from the right, apart from how the crate does it.
fn base58(bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut number = bytes.to_vec();
    let mut text = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut number {
            let part = rest << 8 | u32::from(*byte);
            *byte = (part / 58) as u8;
            rest = part % 58;
        }
        text.push(ALPHABET[rest as usize]);
    }
    text.reverse();
    String::from_utf8(text).expect("base58")
}

#[test]
fn only_the_vendors_programs_are_read() {
    let programs: [(SourceKind, &[&str]); 4] = [
        (
            SourceKind::PythPull,
            &[
                "rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ",
                "rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp",
            ],
        ),
        (
            SourceKind::SwitchboardOnDemand,
            &["SBondMDrcV3K4kxZR1HNVT7osZxAHVHgYXL5Ze1oMUv"],
        ),
        (SourceKind::PythPush, &["FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH"]),
        (
            SourceKind::SwitchboardV2,
            &["SW1TCH7qEPTdLsDHRgPuMQjbQxKdH2aBStViMFnt64f"],
        ),
    ];
    for (kind, expected) in programs {
        let names: Vec<String> = kind.programs().iter().map(base58).collect();
        assert_eq!(names, expected);
        for other in SourceKind::ALL {
            for owner in other.programs() {
                let result = kind.read(owner, &KEY, &of(kind));
                assert_eq!(result.is_ok(), kind == other, "{kind:?} of {other:?}'s program");
                assert_eq!(kind.is_owner(owner), kind == other);
            }
        }
        for stranger in [[0; 32], KEY, [0xff; 32]] {
            assert_eq!(kind.read(&stranger, &KEY, &of(kind)), Err(WrongOwner));
        }
    }
    assert_eq!(
        base58(&ballast_oracle::stake_pool::PROGRAM),
        "SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy"
    );
}

#[test]
fn kinds_have_fixed_numbers() {
    for number in 0..=u8::MAX {
        let kind = SourceKind::from_u8(number);
        assert_eq!(kind.map(|kind| kind as u8), (1..=4).contains(&number).then_some(number));
    }
}

#[test]
fn accounts_of_another_size_or_kind_are_refused() {
    for kind in SourceKind::ALL {
        let data = of(kind);
        for len in [0, 7, 8, data.len() - 1] {
            assert_eq!(read(kind, &data[..len]), Err(WrongLayout), "{kind:?} of {len} bytes");
        }
        let mut longer = data.clone();
        longer.push(0);
        assert_eq!(read(kind, &longer), Err(WrongLayout));
        for other in SourceKind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(read(kind, &of(other)), Err(WrongLayout), "{other:?} as {kind:?}");
        }
        // Every bit of what marks the layout counts: four bytes of a magic number, or eight of a discriminator.
        let marks = if kind == SourceKind::PythPush { 4 } else { 8 };
        for bit in 0..marks * 8 {
            let mut changed = data.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(kind, &changed), Err(WrongLayout));
        }
    }
}

#[test]
fn pyth_pull_wants_full_verification() {
    let level = |tag: u8| with(SourceKind::PythPull, 40, [tag]);
    assert!(level(1).is_ok());
    assert_eq!(level(0), Err(NotVerified));
    for tag in 2..=u8::MAX {
        assert_eq!(level(tag), Err(WrongLayout));
    }
    // A partial update's message lies one byte further: 19 signatures of 19 do not help.
    let mut data = accounts::pyth_pull();
    data[40] = 0;
    data.insert(41, 19);
    data.pop();
    assert_eq!(read(SourceKind::PythPull, &data), Err(NotVerified));
}

#[test]
fn on_demand_wants_enough_answers_and_no_authority() {
    let kind = SourceKind::SwitchboardOnDemand;
    assert_eq!(with(kind, 2_213, [1]), Err(AuthorityCanWrite));
    assert_eq!(with(kind, 2_213, [0x80]), Err(AuthorityCanWrite));
    assert!(with(kind, 2_360, [2]).is_ok(), "as many as the feed asks for");
    assert_eq!(with(kind, 2_360, [1]), Err(TooFewSamples));
    assert_eq!(with(kind, 2_368, [0; 8]), Err(TooFewSamples), "slot 0: no value yet");
    let mut data = of(kind);
    data[2_215] = 0;
    assert!(read(kind, &data).is_ok());
    data[2_360] = 0;
    assert_eq!(read(kind, &data), Err(TooFewSamples), "none, where none is asked for");
    assert!(with(kind, 2_280, 0i128.to_le_bytes()).is_ok());
    assert_eq!(with(kind, 2_280, (-1i128).to_le_bytes()), Err(NegativeDeviation));
    // The vendor's decimals have 96 bits.
    let largest = (1i128 << 96) - 1;
    for offset in [2_264, 2_280] {
        assert!(with(kind, offset, largest.to_le_bytes()).is_ok());
        assert_eq!(with(kind, offset, (largest + 1).to_le_bytes()), Err(OutOfRange));
        assert_eq!(with(kind, offset, i128::MIN.to_le_bytes()), Err(OutOfRange));
    }
    assert!(with(kind, 2_264, (-largest).to_le_bytes()).is_ok());
    // Answers: the oldest and newest slots never lie inside the result's own.
    let slots = |offset, value: u64| with(kind, offset, value.to_le_bytes()).map(|r| (r.first_slot, r.slot));
    assert_eq!(
        slots(2_376, 0),
        Ok((SLOT, SLOT + 2)),
        "an old account without the field"
    );
    assert_eq!(slots(2_376, SLOT + 1), Ok((SLOT, SLOT + 2)));
    assert_eq!(slots(2_384, SLOT - 1), Ok((SLOT - 7, SLOT)));
}

#[test]
fn pyth_push_wants_a_price_account_that_trades() {
    let kind = SourceKind::PythPush;
    let field = |offset, value: u32| with(kind, offset, value.to_le_bytes());
    for (version, expected) in [(1, false), (2, true), (3, false)] {
        assert_eq!(field(4, version).is_ok(), expected);
    }
    for (account_type, expected) in [(0, false), (1, false), (2, false), (3, true), (4, false)] {
        assert_eq!(field(8, account_type).is_ok(), expected);
    }
    for (size, expected) in [(239, false), (240, true), (3_312, true), (3_313, false)] {
        assert_eq!(field(12, size).is_ok(), expected);
    }
    for (price_type, expected) in [(0, false), (1, true), (2, false)] {
        assert_eq!(field(16, price_type).is_ok(), expected);
    }
    for status in [0, 2, 3, 4, 5, 0x0101] {
        assert_eq!(field(224, status), Err(NotTrading), "status {status}");
    }
    // The previous price is none, however sound: 1.0 ± 0 of a second ago.
    let mut data = of(kind);
    put(&mut data, 224, 2u32.to_le_bytes());
    put(&mut data, 184, 100_000_000i64.to_le_bytes());
    put(&mut data, 200, (TIME - 1).to_le_bytes());
    assert_eq!(read(kind, &data), Err(NotTrading));
}

#[test]
fn v2_wants_enough_answers_of_a_round() {
    let kind = SourceKind::SwitchboardV2;
    assert!(with(kind, 341, 2u32.to_le_bytes()).is_ok(), "as many as it asks for");
    assert_eq!(with(kind, 341, 1u32.to_le_bytes()), Err(TooFewSamples));
    assert_eq!(with(kind, 350, [0; 8]), Err(TooFewSamples), "no round yet");
    let mut data = of(kind);
    put(&mut data, 236, [0; 4]);
    put(&mut data, 341, [0; 4]);
    assert_eq!(read(kind, &data), Err(TooFewSamples), "none, where none is asked for");
    assert!(with(kind, 349, [0]).is_ok(), "no other round has begun");
    assert_eq!(with(kind, 3_712, [1]), Err(AgesUnknown));
    assert_eq!(with(kind, 3_712, [2]), Err(WrongLayout));
    assert_eq!(with(kind, 386, (-1i128).to_le_bytes()), Err(NegativeDeviation));
}

#[test]
fn v2_decimals_become_eighteen_at_most() {
    let kind = SourceKind::SwitchboardV2;
    let decimals = |mantissa: i128, scale: u32, deviation: i128, deviation_scale: u32| {
        let mut data = of(kind);
        put(&mut data, 366, mantissa.to_le_bytes());
        put(&mut data, 382, scale.to_le_bytes());
        put(&mut data, 386, deviation.to_le_bytes());
        put(&mut data, 402, deviation_scale.to_le_bytes());
        read(kind, &data).map(|r| (r.price, r.confidence, r.exponent))
    };
    assert_eq!(decimals(1_234, 0, 0, 0), Ok((1_234, 0, 0)));
    assert_eq!(decimals(1_234, 18, 5, 18), Ok((1_234, 5, -18)));
    // 10⁻¹⁹: 1,239 of them are 123.9 of 10⁻¹⁸, 41 are 4.1.
    assert_eq!(decimals(1_239, 19, 41, 19), Ok((123, 5, -18)));
    assert_eq!(decimals(-1_239, 19, 40, 19), Ok((-124, 4, -18)));
    assert_eq!(decimals(7, 2, 3, 0), Ok((7, 300, -2)));
    assert_eq!(decimals(1, 28, 1, 28), Ok((0, 1, -18)));
    let largest = (1i128 << 96) - 1;
    assert!(decimals(largest, 28, largest, 28).is_ok());
    assert!(decimals(-largest, 28, 0, 0).is_ok());
    assert_eq!(decimals(largest + 1, 28, 0, 0), Err(WrongLayout));
    assert_eq!(decimals(0, 28, largest + 1, 0), Err(WrongLayout));
    assert_eq!(decimals(0, 29, 0, 0), Err(WrongLayout));
    assert_eq!(decimals(0, 0, 0, 29), Err(WrongLayout));
    // 2⁹⁶ · 10¹⁸ does not fit: as wide as can be said.
    assert_eq!(decimals(1, 18, largest, 0), Ok((1, i128::MAX as u128, -18)));
}
