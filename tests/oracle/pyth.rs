//! `PriceUpdateV2` as `pyth-solana-receiver-sdk` reads it.
use anchor_lang::prelude::Pubkey;
use anchor_lang::{AccountDeserialize, AccountSerialize, Discriminator};
use ballast_oracle::pyth_pull::{PythPull, DISCRIMINATOR, LEN};
use ballast_oracle::{Adapter, OracleError, Reading, SourceKind};
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// Valid accounts, and corrupted ones of each kind.
const CASES: u64 = 2_000;

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

/// The account's key, which tells nothing: anyone may create one.
const KEY: [u8; 32] = [7; 32];

fn parse(data: &[u8]) -> Result<Reading, OracleError> {
    PythPull::read(&KEY, data)
}

/// The vendor's fields under our names.
pub fn fields(update: &PriceUpdateV2) -> Reading {
    let message = &update.price_message;
    Reading {
        id: message.feed_id,
        queue: [0; 32],
        hash: [0; 32],
        price: i128::from(message.price),
        confidence: u128::from(message.conf),
        exponent: message.exponent,
        publish_time: message.publish_time,
        slot: update.posted_slot,
        first_slot: update.posted_slot,
        own_max_slots: 0,
        samples: 0,
    }
}

/// What the vendor's crate reads and we do not: an account of another size than the receiver creates, which no receiver has written, and
/// a partially verified update. Everything else is read by both or by none.
pub fn vendor_accepts_and_we_refuse(data: &[u8], update: &PriceUpdateV2) -> Option<OracleError> {
    if data.len() != PriceUpdateV2::LEN {
        return Some(OracleError::WrongLayout);
    }
    (update.verification_level != VerificationLevel::Full).then_some(OracleError::NotVerified)
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let (theirs, ours) = (vendor(data), parse(data));
    let expected = match &theirs {
        None => Err(OracleError::WrongLayout),
        Some(update) => vendor_accepts_and_we_refuse(data, update).map_or_else(|| Ok(fields(update)), Err),
    };
    assert_eq!(ours, expected, "{data:?}");
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(DISCRIMINATOR, PriceUpdateV2::DISCRIMINATOR);
    assert_eq!(LEN, PriceUpdateV2::LEN);
    let receivers = PythPull::PROGRAMS;
    assert_eq!(receivers.len(), 2);
    assert_eq!(receivers[0], pyth_solana_receiver_sdk::ID.to_bytes());
    assert_eq!(
        pyth_solana_receiver_sdk::ID,
        anchor_lang::prelude::pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ")
    );
    // The crate's other choice at compile time, its feature `pro-compatible`.
    assert_eq!(
        receivers[1],
        anchor_lang::prelude::pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp").to_bytes()
    );
}

#[test]
fn fully_verified_updates_read_alike() {
    let mut random = Random(1);
    for _ in 0..CASES {
        let update = update(&mut random, VerificationLevel::Full);
        let data = account_data(&update);
        assert_eq!(parse(&data), Ok(fields(&update)));
        assert_eq!(agree(&data), (true, true));
    }
}

#[test]
fn partially_verified_updates_are_refused() {
    let mut random = Random(2);
    for _ in 0..CASES {
        let num_signatures = random.bits() as u8;
        let data = account_data(&update(&mut random, VerificationLevel::Partial { num_signatures }));
        assert_eq!(parse(&data), Err(OracleError::NotVerified));
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
    let data = account_data(&update);
    for receiver in PythPull::PROGRAMS {
        assert_eq!(SourceKind::PythPull.read(receiver, &KEY, &data), Ok(fields(&update)));
    }
    for stranger in [[0; 32], KEY, random.bytes()] {
        let read = SourceKind::PythPull.read(&stranger, &KEY, &data);
        assert_eq!(read, Err(OracleError::WrongOwner));
    }
}
