//! `PullFeedAccountData` as `switchboard-on-demand` reads it.
use std::cell::RefCell;

use ballast_oracle::switchboard_on_demand::{SwitchboardOnDemand, DISCRIMINATOR, LEN};
use ballast_oracle::{Adapter, OracleError, Reading};
use rust_decimal::Decimal;
use switchboard_on_demand::on_demand::accounts::pull_feed::{PullFeedAccountData, PRECISION};
use switchboard_on_demand::{Discriminator, Owner};

use crate::common::{compare, real_account, Layout, Random};

const KEY: [u8; 32] = [7; 32];

/// Queue, hash, authority's flag and least samples, time, value, deviation, samples, slots, staleness.
const LAYOUT: Layout = Layout {
    mark: 8,
    fields: &[
        2_088, 2_120, 2_208, 2_216, 2_264, 2_272, 2_280, 2_288, 2_360, 2_368, 2_376, 2_388,
    ],
};

/// A feed in a state that its program leaves it in.
fn feed(random: &mut Random) -> Vec<u8> {
    let mut feed: PullFeedAccountData = bytemuck::Zeroable::zeroed();
    let slot = 1_000 + random.sized() / 2;
    feed.authority = random.bytes().into();
    feed.queue = random.bytes().into();
    feed.feed_hash = random.bytes();
    feed.max_variance = random.sized();
    feed.min_responses = random.sized() as u32;
    feed.permit_write_by_authority = u8::from(random.below(8) == 0);
    feed.min_sample_size = random.below(6) as u8;
    feed.last_update_timestamp = random.sized() as i64;
    feed.max_staleness = random.sized() as u32;
    feed.result.value = random.signed(95);
    feed.result.std_dev = random.signed(95).abs();
    feed.result.num_samples = random.below(20) as u8;
    if random.below(16) > 0 {
        feed.result.slot = slot;
        feed.result.max_slot = slot + random.below(10);
    }
    if random.below(4) > 0 {
        feed.result.min_slot = slot - random.below(1_000);
    }
    let mut data = DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&feed));
    data
}

/// The vendor's reading, where its crate gives a value: a slot, and numbers that its decimals have room for.
fn vendor(data: &[u8]) -> Option<PullFeedAccountData> {
    // Where the runtime puts an account's data, the fields behind the discriminator are aligned.
    let mut aligned = vec![0u128; data.len() / 16 + 2];
    let place = &mut bytemuck::cast_slice_mut::<u128, u8>(&mut aligned)[8..8 + data.len()];
    place.copy_from_slice(data);
    let cell = RefCell::new(place);
    let feed = *PullFeedAccountData::parse(cell.borrow()).ok()?;
    feed.result.result_slot()?;
    Decimal::try_from_i128_with_scale(feed.result.value, PRECISION).ok()?;
    Decimal::try_from_i128_with_scale(feed.result.std_dev, PRECISION).ok()?;
    Some(feed)
}

/// What the vendor's crate gives a value for and we refuse.
fn we_refuse(data: &[u8], feed: &PullFeedAccountData) -> Option<OracleError> {
    if data.len() != LEN {
        Some(OracleError::WrongLayout)
    } else if feed.permit_write_by_authority != 0 {
        Some(OracleError::AuthorityCanWrite)
    } else if feed.result.num_samples < feed.min_sample_size.max(1) {
        Some(OracleError::TooFewSamples)
    } else {
        (feed.result.std_dev < 0).then_some(OracleError::NegativeDeviation)
    }
}

/// The vendor's fields under our names.
fn fields(feed: &PullFeedAccountData) -> Reading {
    let result = &feed.result;
    Reading {
        id: KEY,
        queue: feed.queue.to_bytes(),
        hash: feed.feed_hash,
        price: result.value().expect("a value").mantissa(),
        confidence: result.std_dev().expect("a value").mantissa() as u128,
        exponent: -(PRECISION as i32),
        publish_time: feed.last_update_timestamp,
        slot: result.slot.max(result.max_slot),
        first_slot: if result.min_slot == 0 {
            result.slot
        } else {
            result.min_slot.min(result.slot)
        },
        own_max_slots: feed.max_staleness,
        samples: u32::from(result.num_samples),
    }
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let (theirs, ours) = (vendor(data), SwitchboardOnDemand::read(&KEY, data));
    match &theirs {
        None => assert!(ours.is_err(), "{ours:?} where the vendor has no value"),
        Some(feed) => {
            let expected = we_refuse(data, feed).map_or_else(|| Ok(fields(feed)), Err);
            assert_eq!(ours, expected);
        }
    }
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(DISCRIMINATOR, PullFeedAccountData::DISCRIMINATOR);
    assert_eq!(LEN, 8 + std::mem::size_of::<PullFeedAccountData>());
    assert_eq!(SwitchboardOnDemand::PROGRAMS, [PullFeedAccountData::owner().to_bytes()]);
    assert_eq!(
        switchboard_on_demand::get_sb_program_id("mainnet").to_string(),
        "SBondMDrcV3K4kxZR1HNVT7osZxAHVHgYXL5Ze1oMUv"
    );
}

#[test]
fn feeds_read_as_the_vendor_reads_them() {
    compare(1, &LAYOUT, feed, agree);
}

/// Switchboard's BTC/USD feed as it stood on 25 June 2024: 61,200.109991665549598697.
#[test]
fn a_real_feed_reads_as_the_vendor_reads_it() {
    let Some(data) = real_account("EtbG8PSDCyCSmDH8RE4Nf2qTV9d6P6zShzHY2XWvjFJf") else {
        return;
    };
    assert_eq!(agree(&data), (true, true));
    let feed = vendor(&data).expect("a value");
    let value = feed.result.value().expect("a value").to_string();
    assert_eq!(value, "61200.109991665549598697");
}
