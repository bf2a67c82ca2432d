//! `PriceUpdateV2` as `pyth-solana-receiver-sdk` reads it.
use anchor_lang::error::Error;
use anchor_lang::prelude::{AccountInfo, Pubkey};
use anchor_lang::{AccountDeserialize, AccountSerialize, Discriminator};
use ballast::error::BallastError;
use ballast::oracle::pyth::{self, LEN, RECEIVERS};
use ballast::oracle::PriceUpdate;
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// Valid accounts, and corrupted ones of each kind.
const CASES: u64 = 1_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Bits of any size, so that small numbers turn up as often as large ones.
    fn sized(&mut self) -> u64 {
        let shift = self.bits() % 64;
        self.bits() >> shift
    }

    fn index(&mut self, len: usize) -> usize {
        (self.bits() % len as u64) as usize
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        out.fill_with(|| self.bits() as u8);
        out
    }
}

fn update(random: &mut Random, verification_level: VerificationLevel) -> PriceUpdateV2 {
    PriceUpdateV2 {
        write_authority: Pubkey::new_from_array(random.bytes()),
        verification_level,
        price_message: PriceFeedMessage {
            feed_id: random.bytes(),
            price: random.sized() as i64,
            conf: random.sized(),
            exponent: random.sized() as i32,
            publish_time: random.sized() as i64,
            prev_publish_time: random.sized() as i64,
            ema_price: random.sized() as i64,
            ema_conf: random.sized(),
        },
        posted_slot: random.sized(),
    }
}

/// The account's data as the receiver writes it: serialised into its full size, so one byte is left over when it is fully verified.
fn account_data(update: &PriceUpdateV2) -> Vec<u8> {
    let mut data = Vec::new();
    update.try_serialize(&mut data).expect("serialises");
    data.resize(PriceUpdateV2::LEN, 0);
    data
}

fn vendor(data: &[u8]) -> Option<PriceUpdateV2> {
    PriceUpdateV2::try_deserialize(&mut &data[..]).ok()
}

/// The vendor's fields under our names.
fn fields(update: &PriceUpdateV2) -> PriceUpdate {
    PriceUpdate {
        feed_id: update.price_message.feed_id,
        price: update.price_message.price,
        confidence: update.price_message.conf,
        exponent: update.price_message.exponent,
        publish_time: update.price_message.publish_time,
        posted_slot: update.posted_slot,
    }
}

fn named(result: Result<PriceUpdate, Error>) -> Result<PriceUpdate, u32> {
    result.map_err(|e| match e {
        Error::AnchorError(e) => e.error_code_number,
        Error::ProgramError(e) => panic!("an error without a name: {e:?}"),
    })
}

const WRONG_LAYOUT: u32 = 6_000 + BallastError::PriceWrongLayout as u32;
const NOT_VERIFIED: u32 = 6_000 + BallastError::PriceNotVerified as u32;
const WRONG_OWNER: u32 = 6_000 + BallastError::PriceWrongOwner as u32;

/// What the vendor's crate reads and we do not: an account of another size than the receiver creates, which no receiver has written, and
/// a partially verified update. Everything else is read by both or by none.
pub fn vendor_accepts_and_we_refuse(data: &[u8], update: &PriceUpdateV2) -> Option<u32> {
    if data.len() != PriceUpdateV2::LEN {
        return Some(WRONG_LAYOUT);
    }
    (update.verification_level != VerificationLevel::Full).then_some(NOT_VERIFIED)
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let (theirs, ours) = (vendor(data), named(pyth::parse(data)));
    let expected = match &theirs {
        None => Err(WRONG_LAYOUT),
        Some(update) => vendor_accepts_and_we_refuse(data, update).map_or_else(|| Ok(fields(update)), Err),
    };
    assert_eq!(ours, expected, "{data:?}");
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(pyth::DISCRIMINATOR, PriceUpdateV2::DISCRIMINATOR);
    assert_eq!(LEN, PriceUpdateV2::LEN);
    assert_eq!(RECEIVERS[0], pyth_solana_receiver_sdk::ID);
    assert_eq!(
        pyth_solana_receiver_sdk::ID,
        anchor_lang::prelude::pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ")
    );
    // The crate's other choice at compile time, its feature `pro-compatible`.
    assert_eq!(
        RECEIVERS[1],
        anchor_lang::prelude::pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp")
    );
}

#[test]
fn fully_verified_updates_read_alike() {
    let mut random = Random(1);
    for _ in 0..CASES {
        let update = update(&mut random, VerificationLevel::Full);
        let data = account_data(&update);
        assert_eq!(named(pyth::parse(&data)), Ok(fields(&update)));
        assert_eq!(agree(&data), (true, true));
    }
}

#[test]
fn partially_verified_updates_are_refused() {
    let mut random = Random(2);
    for _ in 0..CASES {
        let num_signatures = random.bits() as u8;
        let data = account_data(&update(&mut random, VerificationLevel::Partial { num_signatures }));
        assert_eq!(named(pyth::parse(&data)), Err(NOT_VERIFIED));
        assert_eq!(agree(&data), (true, false));
    }
}

/// A way to damage an account's data.
type Damage = fn(&mut Random, &mut Vec<u8>);

const DAMAGES: [(&str, Damage); 7] = [
    ("truncated", |random, data| data.truncate(random.index(LEN))),
    ("one byte short", |_, data| data.truncate(LEN - 1)),
    ("extended", |random, data| data.resize(LEN + 1 + random.index(200), 0)),
    ("bit flipped", |random, data| {
        let at = random.index(LEN);
        data[at] ^= 1 << random.index(8);
    }),
    ("discriminator", |random, data| {
        let at = random.index(8);
        data[at] ^= 1 + random.index(255) as u8;
    }),
    ("verification level", |random, data| data[40] = random.bits() as u8),
    ("bytes overwritten", |random, data| {
        for _ in 0..1 + random.index(20) {
            let at = random.index(LEN);
            data[at] = random.bits() as u8;
        }
    }),
];

#[test]
fn damaged_accounts_are_never_read_where_the_vendor_refuses() {
    let mut random = Random(3);
    for (name, damage) in DAMAGES {
        let (mut theirs, mut ours) = (0u64, 0u64);
        for n in 0..CASES {
            let level = if n % 4 == 0 {
                VerificationLevel::Partial {
                    num_signatures: random.bits() as u8,
                }
            } else {
                VerificationLevel::Full
            };
            let mut data = account_data(&update(&mut random, level));
            damage(&mut random, &mut data);
            let (read_by_vendor, read_by_us) = agree(&data);
            theirs += u64::from(read_by_vendor);
            ours += u64::from(read_by_us);
        }
        println!("{name}: of {CASES} the vendor reads {theirs}, we read {ours}");
        let sound = match name {
            // 133 bytes hold a fully verified message, so the vendor reads three quarters of these.
            "one byte short" => theirs == CASES * 3 / 4 && ours == 0,
            "truncated" | "discriminator" => ours == 0 && theirs < CASES,
            "extended" => theirs == CASES && ours == 0,
            _ => 0 < ours && ours < CASES,
        };
        assert!(sound, "{name}: {theirs}, {ours}");
    }
}

#[test]
fn bytes_of_anything_else_are_refused() {
    let mut random = Random(4);
    for _ in 0..CASES {
        let len = random.index(300);
        let data: Vec<u8> = (0..len).map(|_| random.bits() as u8).collect();
        assert_eq!(agree(&data), (false, false));
    }
    assert_eq!(agree(&[]), (false, false));
    assert_eq!(agree(&[0; LEN]), (false, false));
}

#[test]
fn only_the_receivers_accounts_are_read() {
    let mut random = Random(5);
    let update = update(&mut random, VerificationLevel::Full);
    let mut owners: Vec<(Pubkey, Result<PriceUpdate, u32>)> = RECEIVERS
        .iter()
        .map(|receiver| (*receiver, Ok(fields(&update))))
        .collect();
    for stranger in [Pubkey::default(), ballast::ID, Pubkey::new_from_array(random.bytes())] {
        owners.push((stranger, Err(WRONG_OWNER)));
    }
    for (owner, expected) in owners {
        let (key, mut lamports, mut data) = (Pubkey::default(), 1u64, account_data(&update));
        let account = AccountInfo::new(&key, false, false, &mut lamports, &mut data, &owner, false);
        assert_eq!(named(pyth::read(&account)), expected, "{owner}");
    }
}
