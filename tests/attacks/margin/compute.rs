//! Books as large as an account can hold: whatever is in them, every transaction that helps somebody fits into Solana's limit.
use ballast::error::BallastError;
use ballast::state::InstrumentKind::{Call, Put};
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_sim::world::{User, BTC, ETH, SOL};
use ballast_tests::desk::Desk;
use ballast_tests::ok;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;

use crate::support::went_through;

/// Compute units of a transaction.
const LIMIT: u64 = 1_400_000;
/// Options that an account can hold.
const MOST_OPTIONS: usize = 24;

/// Twenty-four options of ETH, none like another, and one more: eight strikes on each of three expiries, calls and puts by turns, on skewed
/// surfaces whose slow means lag behind.
fn options(d: &mut Desk) -> (Vec<usize>, usize) {
    let now = d.w.vm.now();
    let expiries = [1, 2, 3].map(|week| now + week * 7 * DAY);
    let mut options = Vec::new();
    for expiry in expiries {
        for step in 0..8 {
            let kind = if step % 2 == 0 { Put } else { Call };
            options.push(list_option(&mut d.w, ETH, kind, expiry, 2_410 + 150 * step));
        }
    }
    let one_more = list_option(&mut d.w, ETH, Put, expiries[0], 3_000);
    for percent in [65, 67] {
        d.w.vm.advance(60);
        let surfaces = expiries.map(|expiry| {
            let mut update = flat(expiry, percent);
            (update.surface.skew, update.surface.curvature) = (-50_000_000, 20_000_000);
            update
        });
        let outcome = publish(&mut d.w, ETH, &surfaces);
        ok(&d.w, outcome);
    }
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (ETH, 3_000.0), (SOL, 100.0)]);
    (options, one_more)
}

/// The perpetuals and futures of genesis and ten futures more.
fn futures(d: &mut Desk) -> Vec<usize> {
    let mut linear: Vec<usize> = (BTC_PERP..=SOL_FUTURE).collect();
    for asset in [BTC, ETH, SOL] {
        for week in 4..8 {
            let expiry = d.w.vm.now() + week * 7 * DAY;
            linear.push(list_future(&mut d.w, asset, expiry, 0));
        }
    }
    linear.truncate(16);
    linear
}

/// Two accounts with all that an account can hold, on opposite sides.
pub struct Full {
    /// Where.
    pub d: Desk,
    /// The options that both hold.
    pub options: Vec<usize>,
    /// One that neither does.
    pub one_more: usize,
    /// One side.
    pub long: User,
    /// The other.
    pub short: User,
}

/// Forty positions on both sides, twenty-four of them in options.
pub fn full_books() -> Full {
    let mut d = Desk::new(65);
    let (options, one_more) = options(&mut d);
    let mut all = options.clone();
    all.extend(futures(&mut d));
    let (long, short) = (trader(&mut d.w, 1_000_000), trader(&mut d.w, 1_000_000));
    let (btc, sol) = (d.w.btc, d.w.sol);
    for user in [&long, &short] {
        deposit(&mut d.w, user, &btc, BTC_UNIT);
        deposit(&mut d.w, user, &sol, 10 * SOL_UNIT);
    }
    for some in all.chunks(8) {
        let book: Vec<_> = some.iter().map(|o| (*o, if o % 3 == 0 { -3.0 } else { 1.0 })).collect();
        d.open(&book, &long, &short);
    }
    // Every price apart from its slow one, and not so far that nothing settles.
    d.w.set_prices(&[(BTC, 100_900.0), (ETH, 3_020.0), (SOL, 100.9)]);
    Full {
        d,
        options,
        one_more,
        long,
        short,
    }
}

/// Forty positions with twenty-four options a side: a package of eight of them, a settlement and a withdrawal fit.
#[test]
fn attack_full_books_as_a_compute_bomb() {
    let Full {
        mut d,
        options,
        one_more,
        long,
        short,
    } = full_books();
    let key = long.account.margin_account;
    assert_eq!(d.w.margin_account(&key).position_count, 40);
    let mut most = 0;
    for legs in [&options[..1], &options[..8], &[options[23], BTC_PERP, SOL_PERP]] {
        let book: Vec<_> = legs.iter().map(|o| (*o, 0.5)).collect();
        let outcome = d.trade(&book, &long, &short);
        most = most.max(ok(&d.w, outcome).compute_units);
    }
    for user in [&short, &long] {
        for some in options.chunks(8) {
            let outcome = d.w.settle(&user.account.margin_account, some);
            went_through(&d.w, outcome); // some have nothing to settle yet
        }
    }
    let usd = d.w.usd;
    let outcome = d.w.withdraw(&long, &usd, USD);
    let withdrawal = ok(&d.w, outcome).compute_units;
    println!("full books on both sides: trade {most} CU, withdrawal {withdrawal} CU");
    assert!(most.max(withdrawal) < LIMIT);
    // One option more, in the place of a future, would not be carried.
    let (a, b) = (trader(&mut d.w, 1_000_000), trader(&mut d.w, 1_000_000));
    for some in options.chunks(8) {
        let book: Vec<_> = some.iter().map(|o| (*o, 1.0)).collect();
        d.open(&book, &a, &b);
    }
    let count = d.w.margin_account(&a.account.margin_account).position_count;
    assert_eq!(usize::from(count), MOST_OPTIONS);
    let legs = d.legs(&[(one_more, 1.0)]);
    refuses(&mut d.w, BallastError::TooManyPositions, |w| {
        w.trade_package(&a, &b, &legs)
    });
    d.open(&[(ETH_PERP, 1.0)], &a, &b);
    let legs = d.legs(&[(options[0], 1.0)]);
    let outcome = d.w.trade_package(&a, &b, &legs);
    ok(&d.w, outcome); // what it has, it may add to
}

/// A dollar under its maintenance margin a full account is flagged and taken over by a keeper who holds as much, leg by leg.
#[test]
fn attack_full_books_as_a_shield() {
    let Full {
        mut d,
        options,
        long,
        short,
        ..
    } = full_books();
    let key = long.account.margin_account;
    fall_short(&mut d, &long, &short);
    let outcome = d.w.flag(&key);
    ok(&d.w, outcome);
    d.w.vm.advance(2);
    // Whatever becomes of a step, it does not run out of compute units; one of them goes through.
    let (mut most, mut taken) = (0, 0);
    let mut free = Vec::new();
    for option in options {
        match d.w.liquidate(option, &long.account, &short, 5) {
            Ok(receipt) => {
                taken += 1;
                free.push(option);
                most = most.max(receipt.compute_units);
            }
            Err(refused) => {
                assert!(refused.code.is_some(), "{option}: {:?}", refused.error);
                most = most.max(refused.compute_units);
            }
        }
    }
    println!("liquidate, full books on both sides: {most} CU");
    assert!(taken > 0 && most < LIMIT);
    // Nor do all that free margin at once.
    fall_short(&mut d, &long, &short);
    let legs: Vec<(usize, u64)> = free.iter().take(8).map(|option| (*option, 5)).collect();
    let outcome = d.w.liquidate_package(&legs, &long.account, &short);
    let whole = ok(&d.w, outcome).compute_units;
    println!("liquidate, {} legs of full books: {whole} CU", legs.len());
    assert!(whole < LIMIT);
}

/// Lets one lose on the perpetual, and the other gain, until the first is a dollar under its maintenance margin.
fn fall_short(d: &mut Desk, long: &User, short: &User) {
    let s = d.summary(long);
    let units = (s.equity_liquidation - s.maintenance_margin) / 100 + USD as i64;
    for (user, units) in [(long, units), (short, -units)] {
        edit::<MarginAccount>(&mut d.w, &user.account.margin_account, |a| {
            let at = a.find(BTC_PERP as u16).expect("a position");
            a.positions[at].quote -= units;
        });
    }
}
