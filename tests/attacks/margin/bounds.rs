//! The ends of the range: numbers as large as they get, and collateral worth nothing.
use ballast::error::BallastError;
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::world;

/// Numbers at the ends of their range are refused by name; none wraps into a book that needs little.
#[test]
fn attack_options_at_the_ends_of_their_range() {
    let mut d = Desk::new(65);
    let (low, high) = (d.call(3), d.put(3_000_000));
    let (user, maker) = (trader(&mut d.w, 1_000_000), trader(&mut d.w, 1_000_000));
    for option in [low, high] {
        let price = (d.price(option) * 1e9).round() as i64;
        for lots in [
            i64::MAX,
            i64::MIN,
            i64::MIN + 1,
            i64::MAX / 1_000_000,
            i64::MIN / 1_000_000,
        ] {
            refuses(&mut d.w, BallastError::MathOverflow, |w| {
                w.trade_at(option, &user, &maker, lots, price)
            });
        }
        for price in [i64::MAX, i64::MIN, 0, -10_000_000] {
            refuses(&mut d.w, BallastError::OffTick, |w| {
                w.trade_at(option, &user, &maker, 1, price)
            });
        }
    }
}

/// A unit of BTC, worth a tenth of a cent, neither covers a short nor gets in the way of one.
#[test]
fn attack_dust_as_collateral() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_052);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, 1);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    let s = w.summary(&user.account.margin_account);
    // 10,000, less 9.5 % of 0.000 85, and 3.4 % of 0.001 as the spread charge.
    let exact = 1_000_000_000_000 - 8_075 + 3_400;
    assert!((exact..=exact + 10).contains(&s.initial_margin), "{}", s.initial_margin);
    assert_eq!(s.equity_initial, 1_000_000_000_000 + 85_000);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_FUTURE, &user, &maker, -1, 100_000.0)
    });
}
