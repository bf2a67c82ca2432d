//! `withdraw`: the withdrawal rule, what collateral backs, and the borrow caps, to the unit.
use ballast::error::BallastError;
use ballast::state::{Exchange, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{limit, World, BTC};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{deposit, edit, pair, trade, trader, BTC_FUTURE, BTC_PERP, BTC_UNIT, DOLLAR, SOL_UNIT, USD};
use ballast_tests::{ok, world};

#[test]
fn cash_leaves_to_the_last_unit() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 100), w.usd);
    trader(&mut w, 1_000);
    // Nothing backs a debt of one unit.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 100 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 100 * USD);
    ok(&w, outcome);
    refuses(&mut w, BallastError::InsufficientMargin, |w| w.withdraw(&user, &usd, 1));
}

#[test]
fn refuses_more_collateral_than_there_is() {
    let mut w = world();
    let (user, other, btc, sol) = (w.user(), w.user(), w.btc, w.sol);
    deposit(&mut w, &user, &btc, 100);
    deposit(&mut w, &other, &btc, 100);
    deposit(&mut w, &other, &sol, 100);
    refuses(&mut w, BallastError::InsufficientBalance, |w| {
        w.withdraw(&user, &btc, 101)
    });
    refuses(&mut w, BallastError::InsufficientBalance, |w| {
        w.withdraw(&user, &btc, u64::MAX)
    });
    refuses(&mut w, BallastError::InsufficientBalance, |w| {
        w.withdraw(&user, &sol, 1)
    });
}

#[test]
fn the_withdrawal_rule_holds_to_the_unit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 20_000);
    let usd = w.usd;
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    // 20,000 − 2 reserved − 50 of fee = 19,948; IM 10,000.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 9_948 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 9_948 * USD);
    ok(&w, outcome);
    let s = w.summary(&user.account.margin_account);
    assert_eq!(
        (s.equity_withdrawal, s.initial_margin),
        (10_000 * DOLLAR, 10_000 * DOLLAR)
    );
}

#[test]
fn the_rule_holds_for_collateral() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 52);
    let sol = w.sol;
    // 100 SOL at 150 are 15,000 dollars; 75 % of it count: 11,250. A short BTC perpetual of 100,000 asks for 10,000, and what the
    // collateral may lose beyond its maintenance haircut, at four ranges ¼ · (76 % − 20 %) = 14 % of it, lies on the other side.
    deposit(&mut w, &user, &sol, 100 * SOL_UNIT);
    trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0);
    let s = w.summary(&user.account.margin_account);
    // Cash 52 − 2 reserved and the maker's fee of 20.
    assert_eq!(s.equity_withdrawal, (52 - 2 - 20 + 11_250) * DOLLAR);
    assert!(s.equity_withdrawal > s.initial_margin);
    // Find the most that may leave, then show that one unit more is too much.
    let (mut fits, mut fails) = (0, 100 * SOL_UNIT);
    let im = |v: f64| im_short_btc_with_sol(v);
    for _ in 0..64 {
        let middle = (fits + fails) / 2;
        let value = (100 * SOL_UNIT - middle) as f64 / SOL_UNIT as f64 * 150.0;
        if 30.0 + 0.75 * value >= im(value) {
            fits = middle;
        } else {
            fails = middle;
        }
    }
    let slack = SOL_UNIT / 10_000; // the bisection is in floating point
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &sol, fits + slack)
    });
    let outcome = w.withdraw(&user, &sol, fits - slack);
    ok(&w, outcome);
}

/// IM of a short BTC perpetual of 100,000 with `v` dollars of SOL as collateral, by hand: the SOL falls and the short gains, so that a
/// fall costs nothing where they net and the collateral's own loss where they don't.
fn im_short_btc_with_sol(v: f64) -> f64 {
    let spot_loss = |ranges: f64, w: f64| w * (v * (0.19 * ranges).min(0.95) - 0.2 * v).max(0.0);
    // One range: nothing (19 % < 20 %); two, weight ½; four (76 %), weight ¼.
    let spot = spot_loss(1.0, 1.0).max(spot_loss(2.0, 0.5)).max(spot_loss(4.0, 0.25));
    let short = 9_500.0;
    // Levels: ½ nothing nets, ¼ {BTC, ETH} nets nothing here either, ¼ {BTC, ETH, SOL}: a rise by one range costs the short 9,500 and
    // earns the SOL η · 19 % of its credit, 75 % of v; at 8 and 12 ranges the short loses 9,500 too and SOL earns 19 % of its credit.
    let netted = (short - 0.19 * 0.75 * v).max(0.0);
    0.75 * (short + spot) + 0.25 * netted + 500.0
}

#[test]
fn a_withdrawal_borrows_against_collateral() {
    let mut w = world();
    let (user, usd, btc) = (w.user(), w.usd, w.btc);
    trader(&mut w, 500_000);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let key = user.account.margin_account;
    // 85 % of 100,000 back 85,000, less what wrong-way collateral may lose: ¼ · (38 % − 10 %) · 100,000 = 7,000 of IM.
    assert_eq!(w.summary(&key).initial_margin, 7_000 * DOLLAR);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 78_000 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 78_000 * USD);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&key).cash, -78_000_000_000);
    assert_eq!(
        (w.quote_pool().supplied, w.quote_pool().borrowed),
        (500_000 * USD, 78_000 * USD)
    );
}

#[test]
fn gains_do_not_back_a_withdrawal() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 11_000);
    let usd = w.usd;
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    w.set_prices(&[(BTC, 100_900.0)]);
    w.vm.advance(72_000);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_900.0)]);
    // A paper gain of 850; cash is 10,998 and IM 10,090.
    assert_eq!(
        w.summary(&user.account.margin_account).equity_maintenance,
        (10_998 + 850) * DOLLAR
    );
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 908 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 908 * USD);
    ok(&w, outcome);
}

#[test]
fn what_is_owed_stays_whatever_other_legs_have_gained() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let usd = w.usd;
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    w.set_prices(&[(BTC, 85_000.0)]); // too far from the slow price for anything to settle
                                      // The two legs' profit and loss cancel but for the fees of 100, so that the withdrawal rule alone would let 19,698 go. But 15,050 are
                                      // owed on the perpetual at the index, and 50 on the future at the slow price: of 29,998 in cash 14,898 are free.
    let s = w.summary(&user.account.margin_account);
    assert_eq!(
        (s.equity_withdrawal, s.initial_margin),
        (29_898 * DOLLAR, 10_200 * DOLLAR)
    );
    refuses(&mut w, BallastError::CashUnderCredit, |w| {
        w.withdraw(&user, &usd, 14_898 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 14_898 * USD);
    ok(&w, outcome);
}

#[test]
fn the_accounts_borrow_cap_holds_to_the_unit() {
    let (mut w, user) = borrower();
    let usd = w.usd;
    set_limits(&mut w, |l| l.account_borrow_cap = 1_000);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&user, &usd, 1_001)
    });
    let outcome = w.withdraw(&user, &usd, 1_000);
    ok(&w, outcome);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| w.withdraw(&user, &usd, 1));
}

#[test]
fn what_an_account_has_supplied_does_not_count_against_its_cap() {
    let (mut w, user) = borrower();
    let usd = w.usd;
    set_limits(&mut w, |l| l.account_borrow_cap = 1_000);
    deposit(&mut w, &user, &usd, 500);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&user, &usd, 1_501)
    });
    let outcome = w.withdraw(&user, &usd, 1_500);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).cash, -1_000);
}

#[test]
fn the_exchanges_borrow_cap_holds_to_the_unit() {
    let (mut w, first) = borrower();
    let (second, usd, btc) = (w.user(), w.usd, w.btc);
    deposit(&mut w, &second, &btc, BTC_UNIT);
    set_limits(&mut w, |l| (l.account_borrow_cap, l.total_borrow_cap) = (1_000, 1_500));
    let outcome = w.withdraw(&first, &usd, 1_000);
    ok(&w, outcome);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&second, &usd, 501)
    });
    let outcome = w.withdraw(&second, &usd, 500);
    ok(&w, outcome);
}

#[test]
fn utilisation_holds_to_the_unit() {
    let (mut w, user) = borrower();
    let usd = w.usd;
    // The lender supplies 10,000 dollars; 80 % of it may be lent.
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| {
        w.withdraw(&user, &usd, 8_000 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 8_000 * USD);
    ok(&w, outcome);
    refuses(&mut w, BallastError::BorrowCapExceeded, |w| w.withdraw(&user, &usd, 1));
}

#[test]
fn a_lender_waits_while_its_cash_is_lent_out() {
    let mut w = world();
    let (lender, user, usd, btc) = (trader(&mut w, 10_000), w.user(), w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let outcome = w.withdraw(&user, &usd, 8_000 * USD);
    ok(&w, outcome);
    refuses(&mut w, BallastError::QuotePoolIlliquid, |w| {
        w.withdraw(&lender, &usd, 2_000 * USD + 1)
    });
    let outcome = w.withdraw(&lender, &usd, 2_000 * USD);
    ok(&w, outcome);
    deposit(&mut w, &user, &usd, 8_000 * USD);
    let outcome = w.withdraw(&lender, &usd, 8_000 * USD);
    ok(&w, outcome);
}

#[test]
fn an_untrusted_quote_asset_lends_nothing() {
    let (mut w, user) = borrower();
    let usd = w.usd;
    w.set_prices(&[(QUOTE_ASSET, 0.979_999_99)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| w.withdraw(&user, &usd, 1));
    w.set_prices(&[(QUOTE_ASSET, 0.98)]);
    let outcome = w.withdraw(&user, &usd, 1);
    ok(&w, outcome);
    w.vm.advance(60);
    w.set_prices(&[(BTC, 100_000.0)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| w.withdraw(&user, &usd, 1));
    // 61 seconds old
}

#[test]
fn cash_at_an_untrusted_price_backs_no_other_collateral() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 20_000);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    w.set_prices(&[(QUOTE_ASSET, 0.9)]);
    // Without its cash the account has 85,000 less nothing but the BTC that must stay; all of it can't leave.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &btc, BTC_UNIT)
    });
    // The quote asset itself still leaves: its price does not matter to who takes it out.
    let outcome = w.withdraw(&user, &usd, 19_000 * USD);
    ok(&w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    deposit(&mut w, &user, &usd, 19_000 * USD);
    let outcome = w.withdraw(&user, &btc, BTC_UNIT);
    ok(&w, outcome);
}

#[test]
fn an_unrelated_stale_price_blocks_no_exit() {
    let mut w = world();
    let (user, usd, btc) = (trader(&mut w, 100), w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    w.vm.advance(7_200); // every feed is dead
    let outcome = w.withdraw(&user, &usd, 100 * USD);
    ok(&w, outcome);
    let outcome = w.withdraw(&user, &btc, BTC_UNIT);
    ok(&w, outcome);
}

/// 400 dollars of bids at the mark reserve 40, and two are locked.
#[test]
fn resting_orders_keep_their_margin() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 100), w.usd);
    let outcome = w.place(BTC_PERP, &user, limit(40, 100_000.0));
    ok(&w, outcome);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 58 * USD + 1)
    });
    let outcome = w.withdraw(&user, &usd, 58 * USD);
    ok(&w, outcome);
}

#[test]
fn refuses_what_leaves_the_range() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 100), w.usd);
    for amount in [1 << 63, u64::MAX] {
        let withdraw = instruction::withdraw(&w.exchange, &user.account, &usd.mint, &user.usd, amount, &[]);
        refuses(&mut w, BallastError::MathOverflow, |w| {
            w.vm.send(&[withdraw], &[&user.key])
        });
    }
}

/// A world with a lender of 10,000 dollars and a user with a BTC and no cash.
fn borrower() -> (World, ballast_sim::world::User) {
    let mut w = world();
    trader(&mut w, 10_000);
    let (user, btc) = (w.user(), w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    (w, user)
}

fn set_limits(w: &mut World, change: impl FnOnce(&mut ballast::state::Limits)) {
    let key = w.exchange.key;
    edit::<Exchange>(w, &key, |e| change(&mut e.limits));
}
