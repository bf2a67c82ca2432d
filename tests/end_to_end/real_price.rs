//! `refresh_prices` with an account of the live Pyth receiver, where a copy of one is at hand.
use std::path::PathBuf;

use anchor_lang::prelude::{pubkey, Pubkey};
use ballast_client::instruction;
use ballast_sim::world::{World, RECEIVERS, SOL};
use ballast_tests::setup::PRICE;
use ballast_tests::{elf, ok};

/// SOL/USD as the receiver stored it.
const ACCOUNT: Pubkey = pubkey!("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
/// When it was published.
const PUBLISHED: i64 = 1_720_533_480;

/// The account's bytes: in the folder named by `BALLAST_SHARED`, or in `shared` next to the repository.
fn bytes() -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("BALLAST_SHARED").map_or_else(beside, PathBuf::from);
    std::fs::read(folder.join(format!("data/oracle-accounts/{ACCOUNT}.bin"))).ok()
}

#[test]
fn a_real_account_reaches_the_board() {
    let Some(data) = bytes() else {
        println!("skipped: no copy of {ACCOUNT} at hand");
        return;
    };
    let mut w = World::starting_at(&elf(), PUBLISHED - 120, [60_000.0, 3_000.0, 140.0]);
    let mut clock = w.vm.clock();
    clock.unix_timestamp = PUBLISHED + 5;
    clock.slot = u64::from_le_bytes(data[125..133].try_into().expect("eight bytes")) + 12; // posted five seconds ago
    w.vm.svm.set_sysvar(&clock);
    w.vm.put(ACCOUNT, RECEIVERS[0], data);
    let refresh = instruction::refresh_prices(&w.exchange, &[(SOL, ACCOUNT)]);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(&w, outcome);
    let feed = w.board().assets[usize::from(SOL)].price;
    // 14061593700 · 10⁻⁸ dollars, ± 13793699 · 10⁻⁸
    assert_eq!(feed.index, 140_615_937_000);
    assert_eq!(feed.confidence, 137_936_990);
    assert_eq!(feed.publish_time, PUBLISHED);
    assert_eq!(feed.slow, 140 * PRICE);
}
