//! Legs that seem to cancel: across strikes, expiries, calls and puts, and across instructions.
use ballast::error::BallastError;
use ballast::state::InstrumentKind::{Call, Put};
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{BTC, ETH};
use ballast_tests::desk::{reversed, Desk};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// Lowers an account's cash until its E_im lies `dollars` under its IM; the other side gains what it loses.
fn lose_down_to(d: &mut Desk, user: &ballast_sim::world::User, other: &ballast_sim::world::User, dollars: i64) {
    let s = d.summary(user);
    let units = (s.equity_initial - s.initial_margin) / 100 + dollars * USD as i64;
    let (key, other) = (user.account.margin_account, other.account.margin_account);
    edit::<MarginAccount>(&mut d.w, &key, |a| a.cash -= units);
    edit::<MarginAccount>(&mut d.w, &other, |a| a.cash += units);
}

/// A short call at 3,000 with a long one at 3,600 above it: 1,483.33, by the short leg alone 3,900. By the debit of the pair, what one pays
/// to open it, nothing.
#[test]
fn attack_a_vertical_spread_for_its_credit() {
    let mut d = Desk::new(65);
    let book = [(d.call(3_000), -10.0), (d.call(3_600), 10.0)];
    d.takes(&book, 100.0, 1_483.325_385_618);
}

/// Ten dollars under IM the protective leg can't be sold, not a lot of it; both legs together may go.
#[test]
fn attack_the_protective_leg_sold_first() {
    let mut d = Desk::new(65);
    let (low, high) = (d.call(3_000), d.call(3_600));
    let book = [(low, -10.0), (high, 10.0)];
    let (user, maker) = d.takes(&book, 100.0, 1_483.325_385_618);
    lose_down_to(&mut d, &user, &maker, 10);
    let s = d.summary(&user);
    assert!(s.equity_initial < s.initial_margin && s.equity_maintenance > s.maintenance_margin);
    for lots in [-10_000, -1] {
        let price = d.price(high);
        refuses(&mut d.w, BallastError::WorsensMargin, |w| {
            w.trade(high, &user, &maker, lots, price)
        });
    }
    let outcome = d.trade(&reversed(&book), &user, &maker);
    ok(&d.w, outcome);
    assert_eq!(d.summary(&user).initial_margin, 0);
}

/// A hedge that is there when the margin is asked and gone at the end of the same transaction: long 10 calls and short 5.37 futures for
/// 769.88, then the futures bought back. The calls alone need 1,976.73, the futures alone 2,013.75.
#[test]
fn attack_the_hedge_removed_in_the_same_transaction() {
    let mut d = Desk::new(65);
    let call = d.call(3_000);
    let expiry = d.w.board().instruments[call].expiry;
    let future = list_future(&mut d.w, ETH, expiry, 0);
    let maker = trader(&mut d.w, 10_000_000);
    let book = [(call, 10.0), (future, -5.37)];
    let user = d.trader(769.880_182_022 + d.cost(&book) + 20.0);
    let package = |d: &Desk, book: &[(usize, f64)]| {
        let legs: Vec<_> = d
            .legs(book)
            .iter()
            .map(|leg| {
                let terms = ballast::instructions::TradeLeg {
                    lots: leg.lots,
                    price: leg.price,
                };
                (d.w.markets[leg.instrument], terms)
            })
            .collect();
        instruction::package_trade(&d.w.exchange, &legs, &user.account, &maker.account)
    };
    let hedged = package(&d, &book);
    // Under the IM of what is left, nothing that frees too little may go; over it, nothing that needs more.
    for bare in [[(future, 5.37)], [(call, -10.0)]] {
        let pulled = package(&d, &bare);
        refuses(&mut d.w, BallastError::InsufficientMargin, |w| {
            w.vm.send(&[pulled.clone(), hedged.clone()], &[&user.key, &maker.key])
        });
        let outcome = {
            let before = d.w.vm.snapshot();
            let outcome = d.w.vm.send(&[hedged.clone(), pulled], &[&user.key, &maker.key]);
            assert!(before.changed(&d.w.vm.snapshot()).is_empty());
            outcome
        };
        let code = outcome.expect_err("the hedge was pulled").code;
        let named = [BallastError::InsufficientMargin, BallastError::WorsensMargin].map(|e| Some(u32::from(e)));
        assert!(named.contains(&code), "{code:?}");
    }
    let outcome = d.w.vm.send(&[hedged], &[&user.key, &maker.key]);
    ok(&d.w, outcome);
    d.requires(&user, 769.880_182_022, 46_110.0);
}

/// A box is worth 600 a unit whatever happens: no scenario moves it, and yet 1 % of 3,000 for each of its hundred short options is asked
/// for, and the buffer of 575.72; as a long one also 5 % of the 30,000 that it is worth.
#[test]
fn attack_boxes_without_a_scan() {
    let mut d = Desk::new(65);
    let short = [
        (d.call(3_000), -50.0),
        (d.call(3_600), 50.0),
        (d.put(3_000), 50.0),
        (d.put(3_600), -50.0),
    ];
    d.takes(&short, 575.72, 3_575.718_006_698);
    d.takes(&reversed(&short), 575.72, 5_075.718_006_698);
}

/// The same box with its upper half two months later: still no scan, but two synthetic forwards of 150,000 on two expiries, which cost
/// λψ + β = 14 %. As a box of one expiry it would need 3,000 + 1,500 + 710.76.
#[test]
fn attack_a_box_over_two_expiries() {
    let mut d = Desk::new(65);
    let far = 90 * 24;
    let book = [
        (d.call(3_000), 50.0),
        (d.put(3_000), -50.0),
        (d.option(Call, 3_600, far), -50.0),
        (d.option(Put, 3_600, far), 50.0),
    ];
    d.takes(&book, 5_210.77, 23_210.760_137_477);
}

/// A forward made of a call and a put against another one three times as far out: 21,607.33, where options netted as options
/// (0.2 · 12 % + 2 % of 150,000) leave 6,600 and a buffer of 607.33.
#[test]
fn attack_a_jelly_roll() {
    let mut d = Desk::new(65);
    let far = 90 * 24;
    let book = [
        (d.call(3_000), -50.0),
        (d.put(3_000), 50.0),
        (d.option(Call, 3_000, far), 50.0),
        (d.option(Put, 3_000, far), -50.0),
    ];
    d.takes(&book, 7_207.34, 21_607.330_535_934);
}

/// Long straddles of ninety days against short ones of seven: the near ones lose most of what the far ones gain, and 25 % of what their
/// volatility offsets, 1,664.13, is kept. One surface that moves as a whole would leave 17,023.89.
#[test]
fn attack_a_calendar_of_straddles() {
    let mut d = Desk::new(65);
    let (near, far) = (7 * 24, 90 * 24);
    let book = [
        (d.option(Call, 3_000, near), -50.0),
        (d.option(Put, 3_000, near), -50.0),
        (d.option(Call, 3_000, far), 50.0),
        (d.option(Put, 3_000, far), 50.0),
    ];
    d.takes(&book, 17_023.90, 18_688.024_635_983);
}

/// Long calls at 6,000 that end in a week over short ones that end in three months: lot for lot covered, and worth nothing as cover. A scan
/// within ±ψ sees 7,361.59 and a buffer of 7.68.
#[test]
fn attack_a_tail_covered_by_a_nearer_expiry() {
    let mut d = Desk::new(65);
    let book = [
        (d.option(Call, 6_000, 7 * 24), 100.0),
        (d.option(Call, 6_000, 90 * 24), -100.0),
    ];
    d.takes(&book, 7_369.27, 8_346.484_403_245);
}

/// A call bought and a put sold are a forward: against the perpetual it costs what a future costs, λψ + β = 14 % of 300,000, not the
/// 13,200 + 1,945.41 of options hedged by their delta.
#[test]
fn attack_a_synthetic_future() {
    let mut d = Desk::new(65);
    let (call, put) = (d.call(3_000), d.put(3_000));
    let book = [(call, 100.0), (put, -100.0), (ETH_PERP, -100.0)];
    d.takes(&book, 15_145.42, 43_945.410_902_420);
}

/// So is a call a fifth of the index: 42,000, 5 % of the 240,000 that it is worth and the buffers of both, not 28,200 in all.
#[test]
fn attack_a_synthetic_future_deep_in_the_money() {
    let mut d = Desk::new(65);
    let book = [(d.call(600), 100.0), (ETH_PERP, -100.0)];
    d.takes(&book, 28_200.0, 57_000.0);
}

/// Long BTC against short ETH needs 13,000 while both have a price. With ETH's too old nothing is added to either leg's pair, and what leaves
/// is judged with ETH dearer: at 864 seconds by 12 % · √(864/86,400) = 1.2 %, rounded up by 10⁻⁹.
#[test]
fn attack_a_correlated_pair_with_one_price_stale() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 20_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, -33_333, 3_000.0);
    w.vm.advance(863);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.trade(ETH_PERP, &user, &maker, -1_000, 3_000.0)
    });
    // 0.5 · (9,500 + 11,999.88) + 0.5 · 2,499.88 + 999.995 of buffer: 12,999.875. Cash is 20,000 − 2, fees of 50 and 49.9995 settle as losses;
    // ETH at 3,036.000003 loses 99,999 · 1.2000001 % = 1,199.988099999.
    let free = 20_000_000_000i64 - 2_000_000 - 50_000_000 - 49_999_500 - 1_199_988_100 - 12_999_875_000;
    let usd = w.usd;
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, free.unsigned_abs() + 1)
    });
    let outcome = w.withdraw(&user, &usd, free.unsigned_abs());
    ok(&w, outcome);
}
