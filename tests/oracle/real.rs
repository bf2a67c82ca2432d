//! Accounts that were once on chain, where the folder with them is at hand; they are third-party data and no part of this repository.
use std::path::PathBuf;

use anchor_lang::AccountDeserialize;
use ballast_oracle::pyth_pull::PythPull;
use ballast_oracle::pyth_push::PythPush;
use ballast_oracle::switchboard_on_demand::SwitchboardOnDemand;
use ballast_oracle::{Adapter, OracleError};
use pyth_solana_receiver_sdk::price_update::{get_feed_id_from_hex, PriceUpdateV2, VerificationLevel};

use crate::pyth::fields;

/// An account's data, or nothing when the folder is not there.
fn account(key: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/oracle-accounts");
    if !folder.is_dir() {
        println!("skipped: no folder {}", folder.display());
        return None;
    }
    Some(std::fs::read(folder.join(key).with_extension("bin")).expect("the folder has the account"))
}

/// Pyth's sponsored SOL/USD account, as it stood on 9 July 2024.
#[test]
fn a_real_price_update_reads_as_published() {
    let Some(data) = account("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE") else {
        return;
    };
    let feed = "0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
    let theirs = PriceUpdateV2::try_deserialize(&mut &data[..]).expect("the vendor reads it");
    assert_eq!(theirs.verification_level, VerificationLevel::Full);
    let reading = PythPull::read(&[0; 32], &data).expect("fully verified");
    assert_eq!(reading, fields(&theirs));
    assert_eq!(reading.id, get_feed_id_from_hex(feed).expect("a feed id"));
    assert_eq!(
        (reading.price, reading.confidence, reading.exponent),
        (14_061_593_700, 13_793_699, -8)
    );
    // Bytes 125 to 132: 7b 4e 7c 10 00 00 00 00.
    assert_eq!((reading.publish_time, reading.slot), (1_720_533_480, 276_582_011));
}

/// Switchboard On-Demand and Pyth's old push layout are other accounts.
#[test]
fn real_accounts_of_other_layouts_are_refused() {
    for key in [
        "EtbG8PSDCyCSmDH8RE4Nf2qTV9d6P6zShzHY2XWvjFJf",
        "Gnt27xtC473ZT2Mw5u8wZ68Z3gULkSTb5DuxJy7eJotD",
    ] {
        let Some(data) = account(key) else {
            return;
        };
        assert_eq!(PythPull::read(&[0; 32], &data), Err(OracleError::WrongLayout), "{key}");
        assert!(PriceUpdateV2::try_deserialize(&mut &data[..]).is_err(), "{key}");
    }
}

/// Switchboard's BTC/USD feed, as it stood on 25 June 2024: 61,200.109991665549598697.
#[test]
fn a_real_value_feed_reads_as_published() {
    let Some(data) = account("EtbG8PSDCyCSmDH8RE4Nf2qTV9d6P6zShzHY2XWvjFJf") else {
        return;
    };
    let feed = SwitchboardOnDemand::read(&[0; 32], &data).expect("a feed that oracles alone write");
    assert_eq!((feed.price, feed.exponent), (61_200_109_991_665_549_598_697, -18));
    // Bytes 2216 to 2223: 7a b0 7a 66 00 00 00 00; 2280: no deviation; 2360: three samples.
    assert_eq!(
        (feed.publish_time, feed.confidence, feed.samples),
        (1_719_316_602, 0, 3)
    );
    assert!(feed.ratio().is_err(), "a price is no ratio");
}

/// Pyth's USDC/USD account of the push program, as it stood on 7 December 2023: 1.00000750 ± 0.00024249.
#[test]
fn a_real_push_account_reads_as_published() {
    let Some(data) = account("Gnt27xtC473ZT2Mw5u8wZ68Z3gULkSTb5DuxJy7eJotD") else {
        return;
    };
    let reading = PythPush::read(&[0; 32], &data).expect("it trades");
    assert_eq!(
        (reading.price, reading.confidence, reading.exponent),
        (100_000_750, 24_249, -8)
    );
    assert_eq!((reading.publish_time, reading.slot), (1_701_981_042, 234_590_446));
}
