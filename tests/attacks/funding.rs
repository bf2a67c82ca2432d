//! Against marks and funding of perpetuals: who would move them, dodge them or gain by looking.
use ballast::error::BallastError;
use ballast::state::{Instrument, Premium};
use ballast_sim::world::{at_once, limit, User, World, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{btc_trade, fund_at, pair, show_mid, trade, trader, BTC_PERP, PRICE};
use ballast_tests::{ok, world};

const HOUR: i64 = 3_600;
/// One BTC in lots.
const ONE: i64 = 10_000;
/// What the BTC perpetual's book is measured by: 20,000 dollars at an index of 100,000, in lots of 10 dollars.
const DEPTH: i64 = 2_000;

fn listed(w: &World) -> Instrument {
    w.board().instruments[BTC_PERP]
}

fn premium(w: &World) -> Premium {
    w.market(BTC_PERP).premium
}

fn place(w: &mut World, user: &User, lots: i64, price: f64) {
    let outcome = w.place(BTC_PERP, user, limit(lots, price));
    ok(w, outcome);
}

fn cancel(w: &mut World, user: &User) {
    let outcome = w.cancel_all(user, &[BTC_PERP]);
    ok(w, outcome);
}

/// Cash and quote of a user's only position.
fn claim(w: &World, user: &User) -> i64 {
    let account = w.margin_account(&user.account.margin_account);
    account.cash + account.reserve + account.positions().iter().map(|p| p.quote).sum::<i64>()
}

/// Trades between one's own wallets print what one likes; the mark and the funding do not read prints.
#[test]
fn attack_wash_trader_moves_the_mark() {
    let mut w = world();
    let (a, b) = (trader(&mut w, 1_000_000), trader(&mut w, 1_000_000));
    for round in 1..=12 {
        fund_at(&mut w, BTC_PERP, START + 60 * round);
        // At the edge of the band, by agreement and through the book, up and down again.
        trade(&mut w, BTC_PERP, &a, &b, ONE, 101_900.0);
        trade(&mut w, BTC_PERP, &b, &a, ONE, 101_900.0);
        place(&mut w, &b, -ONE, 101_900.0);
        let outcome = w.place(BTC_PERP, &a, at_once(ONE, 101_900.0));
        ok(&w, outcome);
        assert_eq!(listed(&w).basis, 0);
        assert_eq!(premium(&w).sum.get(), 0);
    }
    fund_at(&mut w, BTC_PERP, START + HOUR);
    assert_eq!((listed(&w).basis, listed(&w).funding_rate), (0, 0));
}

/// A quote of the smallest size shows nothing by itself, and in front of an honest book as much as it is of the depth.
#[test]
fn attack_quotes_of_one_order_move_the_mark() {
    let mut w = world();
    let (honest, attacker) = (trader(&mut w, 1_000_000), trader(&mut w, 1_000_000));
    place(&mut w, &attacker, 10, 100_500.0);
    place(&mut w, &attacker, -10, 100_501.0);
    fund_at(&mut w, BTC_PERP, START + 300);
    assert_eq!((premium(&w).mid, listed(&w).basis), (0, 0));
    cancel(&mut w, &attacker);
    place(&mut w, &honest, DEPTH, 99_990.0);
    place(&mut w, &honest, -DEPTH, 100_010.0);
    assert_eq!(premium(&w).mid, 100_000 * PRICE);
    place(&mut w, &attacker, 10, 100_009.0);
    // 10 lots of 2,000 are bid 19 dollars higher: 0.095 on the bid, 0.0475 on the mid.
    assert_eq!(premium(&w).mid, 100_000 * PRICE + 47_500_000);
    // Twenty of the smallest, 2,000 dollars: ten times that, and no more.
    place(&mut w, &attacker, 190, 100_009.0);
    assert_eq!(premium(&w).mid, 100_000 * PRICE + 950_000_000);
    // More of the smallest orders than the honest depth is away from: what is far from the index counts no more than its bound.
    cancel(&mut w, &honest);
    place(&mut w, &attacker, DEPTH, 101_800.0);
    place(&mut w, &attacker, -DEPTH, 101_900.0);
    assert_eq!(premium(&w).mid, 100_800 * PRICE);
}

/// An order that stands for no time weighs nothing, and one that stands for a second a three-hundredth.
#[test]
fn attack_an_order_is_placed_and_cancelled_around_a_crank() {
    let mut w = world();
    let attacker = trader(&mut w, 1_000_000);
    fund_at(&mut w, BTC_PERP, START + 600);
    let pump = |w: &mut World| {
        place(w, &attacker, DEPTH, 101_000.0);
        place(w, &attacker, -DEPTH, 101_010.0);
    };
    pump(&mut w);
    let outcome = w.update_funding(BTC_PERP);
    ok(&w, outcome);
    cancel(&mut w, &attacker);
    fund_at(&mut w, BTC_PERP, START + 700);
    assert_eq!((listed(&w).basis, premium(&w).sum.get()), (0, 0));
    pump(&mut w);
    fund_at(&mut w, BTC_PERP, START + 701); // too soon after the last one to move it
    cancel(&mut w, &attacker);
    fund_at(&mut w, BTC_PERP, START + 720);
    // 0.8 % for a second, the most that a second weighs.
    assert_eq!(premium(&w).sum.get(), i128::from(800 * PRICE));
    let basis = listed(&w).basis;
    assert!(basis > 0 && basis <= 8_000_000 / 300, "{basis}");
}

/// A quote that nobody can hit, since its time is over, counts nothing; nor does one whose time is over within the hour.
#[test]
fn attack_quotes_that_expire_before_they_trade() {
    let mut w = world();
    let attacker = trader(&mut w, 1_000_000);
    let expiring = |w: &mut World, lots: i64, price: f64, expires_at: i64| {
        let mut order = limit(lots, price);
        order.expires_at = expires_at;
        let outcome = w.place(BTC_PERP, &attacker, order);
        ok(w, outcome);
    };
    let soon = w.vm.now() + 2;
    expiring(&mut w, DEPTH, 101_000.0, soon);
    place(&mut w, &attacker, -DEPTH, 101_010.0);
    assert_eq!(premium(&w).mid, 0);
    cancel(&mut w, &attacker);
    // One that lives on counts until the hour begins in which it expires.
    expiring(&mut w, DEPTH, 101_000.0, START + HOUR + 1);
    place(&mut w, &attacker, -DEPTH, 101_010.0);
    assert_eq!(
        (premium(&w).mid, premium(&w).mid_until),
        (100_800 * PRICE, START + HOUR)
    );
    fund_at(&mut w, BTC_PERP, START + HOUR);
    let sum = premium(&w).sum.get();
    assert!(sum > 0);
    fund_at(&mut w, BTC_PERP, START + HOUR + 600);
    assert_eq!(premium(&w).sum.get(), sum);
}

/// Whoever keeps the crank from being turned, or turns it at a time of his choosing, pays and gets the same.
#[test]
fn attack_a_late_crank_and_a_trader_who_waits_for_it() {
    let ends = |cranks: &[i64]| {
        let mut w = world();
        let (user, maker) = pair(&mut w, 50_000);
        trade(&mut w, BTC_PERP, &user, &maker, ONE, 100_000.0);
        show_mid(&mut w, BTC_PERP, 100_400 * PRICE);
        for at in cranks {
            fund_at(&mut w, BTC_PERP, START + at);
        }
        w.vm.advance(START + 5 * HOUR + 700 - w.vm.now() - 1);
        w.set_prices(&[(ballast::state::QUOTE_ASSET, 1.0), (ballast_sim::world::BTC, 100_000.0)]);
        // Whoever hurries out before the crank is turned away.
        let out = btc_trade(&w, &user, &maker, -ONE, 100_000 * PRICE);
        refuses(&mut w, BallastError::FundingDue, |w| {
            w.vm.send(&[out], &[&user.key, &maker.key])
        });
        trade(&mut w, BTC_PERP, &user, &maker, -ONE, 100_000.0);
        (claim(&w, &user), claim(&w, &maker), listed(&w).funding_index)
    };
    let late = ends(&[]);
    assert!(late.2 > 0 && late.0 < 50_000_000_000);
    assert_eq!(late, ends(&[HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR]));
    assert_eq!(late, ends(&[HOUR - 1, HOUR + 1, 4 * HOUR - 20]));
}

/// Turning the crank every second moves the mark no further, and the funding not at all.
#[test]
fn attack_crank_spam() {
    let run = |cranks: i64| {
        let mut w = world();
        let start = START + 60;
        fund_at(&mut w, BTC_PERP, start);
        show_mid(&mut w, BTC_PERP, 100_300 * PRICE);
        for n in 1..=cranks {
            fund_at(&mut w, BTC_PERP, start + 600 * n / cranks);
            let outcome = w.update_funding(BTC_PERP);
            ok(&w, outcome);
        }
        (premium(&w).sum.get(), listed(&w).basis)
    };
    let (once, often) = (run(2), run(600));
    assert_eq!(once.0, often.0);
    // 0.3 % · (1 − e⁻²); each of sixty updates rounds a unit away.
    assert!(
        (once.1 - 2_593_994).abs() <= 2 && (often.1 - once.1).abs() <= 60,
        "{once:?} {often:?}"
    );
}

/// Funding with nobody to pay it: nothing moves, and who comes later pays nothing of it.
#[test]
fn attack_funding_with_no_open_interest() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    show_mid(&mut w, BTC_PERP, 100_800 * PRICE);
    fund_at(&mut w, BTC_PERP, START + 5 * HOUR + 1_000);
    assert!(listed(&w).funding_index > 300 * PRICE);
    let market = w.market(BTC_PERP);
    assert_eq!((market.pool, market.residual, market.funding_dust), (0, 0, 0));
    let price = 100_000.0;
    trade(&mut w, BTC_PERP, &user, &maker, ONE, price);
    trade(&mut w, BTC_PERP, &user, &maker, -ONE, price);
    // Fees of 0.05 and 0.02 % on both trades.
    assert_eq!(claim(&w, &user), 50_000_000_000 - 100_000_000);
    assert_eq!(claim(&w, &maker), 10_000_000_000_000 - 40_000_000);
}

/// A clock that jumps, stands still or goes back: what is known of the index counts, and nothing twice.
#[test]
fn attack_slot_jumps() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &user, &maker, ONE, 100_000.0);
    show_mid(&mut w, BTC_PERP, 100_080 * PRICE);
    fund_at(&mut w, BTC_PERP, START + 40 * HOUR);
    // The last 23 hours are known, at 10 dollars each; the last of them is only about to be paid.
    assert_eq!(listed(&w).funding_index, 22 * 10 * PRICE);
    let before = (premium(&w), listed(&w));
    for seconds in [0, -HOUR, 0, HOUR] {
        w.vm.advance(seconds);
        let outcome = w.update_funding(BTC_PERP);
        ok(&w, outcome);
        assert_eq!((premium(&w), listed(&w)), before);
    }
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]);
    ok(&w, outcome);
}

/// Rounding is against whoever is touched, so a thousand touches gain nothing.
#[test]
fn attack_touching_often_gains_nothing() {
    let mut w = world();
    let (long, short) = (trader(&mut w, 50_000), trader(&mut w, 50_000));
    let (quiet_long, quiet_short) = (trader(&mut w, 50_000), trader(&mut w, 50_000));
    for (a, b) in [(&long, &short), (&quiet_long, &quiet_short)] {
        trade(&mut w, BTC_PERP, a, b, 1_000, 100_000.0);
    }
    show_mid(&mut w, BTC_PERP, 100_003 * PRICE);
    fund_at(&mut w, BTC_PERP, START + HOUR);
    for n in 1..=120 {
        fund_at(&mut w, BTC_PERP, START + HOUR + 7 * n);
        for (a, b) in [(&long, &short), (&short, &long)] {
            trade(&mut w, BTC_PERP, a, b, 100, 100_000.0);
        }
    }
    for (a, b) in [(&quiet_long, &quiet_short), (&quiet_short, &quiet_long)] {
        for _ in 0..120 {
            trade(&mut w, BTC_PERP, a, b, 100, 100_000.0);
        }
    }
    assert!(claim(&w, &long) <= claim(&w, &quiet_long));
    assert!(claim(&w, &short) <= claim(&w, &quiet_short));
    assert!(w.market(BTC_PERP).residual > 0);
}
