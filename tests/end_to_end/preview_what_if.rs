//! `preview` after changes: to the unit what the trades and deposits then bring, and what a what-if refuses.
use anchor_lang::prelude::AccountMeta;
use ballast::error::BallastError;
use ballast::instructions::{PreviewChange, PreviewReport, PreviewRequest, PreviewSection, TradeLeg, MAX_CHANGES};
use ballast::state::{Collateral, Exchange, InstrumentKind, MarginAccount, MarginMethod};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::refusal::{refuses, refuses_by_anchor};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// Every section but the distances.
const SECTIONS: [PreviewSection; 6] = [
    PreviewSection::Summary,
    PreviewSection::Asset { asset: BTC },
    PreviewSection::Asset { asset: ETH },
    PreviewSection::Isolated,
    PreviewSection::Greeks { first: 0 },
    PreviewSection::Risk,
];

fn leg(instrument: usize, lots: i64, price: i64) -> PreviewChange {
    let instrument = instrument as u16;
    PreviewChange::Leg {
        instrument,
        lots,
        price,
    }
}

fn collateral(collateral: u8, amount: i64) -> PreviewChange {
    PreviewChange::Collateral { collateral, amount }
}

fn reports(w: &mut World, user: &User, changes: &[PreviewChange]) -> Vec<PreviewReport> {
    let key = user.account.margin_account;
    SECTIONS.map(|section| w.what_if(&key, section, changes).0).into()
}

/// Asserts that the preview of a package is the preview after it, whichever side the account takes a trade as.
#[track_caller]
fn foretells(w: &mut World, taker: &User, maker: &User, legs: &[(usize, i64, i64)]) {
    let changes: Vec<_> = legs.iter().map(|(i, lots, price)| leg(*i, *lots, *price)).collect();
    let foretold = reports(w, taker, &changes);
    let before = reports(w, taker, &[]);
    let terms: Vec<_> = legs
        .iter()
        .map(|(i, lots, price)| {
            let (lots, price) = (*lots, *price);
            (w.markets[*i], TradeLeg { lots, price })
        })
        .collect();
    let trade = instruction::package_trade(&w.exchange, &terms, &taker.account, &maker.account);
    let outcome = w.vm.send(&[trade], &[&taker.key, &maker.key]);
    ok(w, outcome);
    assert_ne!(before[0], foretold[0], "the trade changes something");
    assert_eq!(reports(w, taker, &[]), foretold);
}

#[test]
fn a_package_is_foretold_to_the_unit() {
    let mut w = world();
    let expiry = w.vm.now() + 30 * DAY;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_000);
    let put = list_option(&mut w, ETH, InstrumentKind::Put, expiry, 2_800);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 200_000);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT / 3);
    // The first positions lock the reserve; quotes and fees are rounded at odd lots and prices.
    let odd = 100_123 * PRICE + PRICE / 10;
    foretells(
        &mut w,
        &user,
        &maker,
        &[(BTC_PERP, 3_333, odd), (BTC_FUTURE, -1_111, odd)],
    );
    // Options bought and sold, off their marks.
    let board = w.board();
    let near = |instrument: usize, off: i64| {
        let listed = board.instruments[instrument];
        let mark = board.mark(&listed, w.vm.now()).unwrap().0;
        (mark / listed.tick_size + off) * listed.tick_size
    };
    let (dear, cheap) = (near(call, 123), near(put, -77));
    foretells(
        &mut w,
        &user,
        &maker,
        &[
            (call, 7_777, dear),
            (put, -3_333, cheap),
            (ETH_PERP, -4_444, 2_999 * PRICE),
        ],
    );
    // One position shrinks, one turns over, one goes.
    foretells(
        &mut w,
        &user,
        &maker,
        &[(BTC_PERP, -333, odd), (BTC_FUTURE, 2_222, odd), (call, -7_777, dear)],
    );
}

#[test]
fn at_the_mark_means_without_a_gain_or_a_loss() {
    let mut w = world();
    let (user, _) = pair(&mut w, 30_000);
    let changes = [leg(BTC_PERP, 10_000, 0)];
    let (report, _) = w.what_if(&user.account.margin_account, PreviewSection::Summary, &changes);
    let PreviewReport::Summary(s) = report else {
        panic!("{report:?}");
    };
    // 100,000 of BTC: a fee of 50, a reserve of 2.
    assert_eq!((s.initial_margin, s.unrealised), (10_000 * DOLLAR, -50 * DOLLAR));
    assert_eq!(s.equity_maintenance, (30_000 - 2 - 50) * DOLLAR);
}

#[test]
fn deposits_and_withdrawals_are_foretold() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let (usd, btc, sol) = (w.usd, w.btc, w.sol);
    let index = |w: &World, mint| w.read::<Collateral>(&w.exchange.collateral(mint)).index;
    let (of_btc, of_sol) = (index(&w, &btc.mint), index(&w, &sol.mint));
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]); // or the withdrawal below would
    ok(&w, outcome);
    // Two kinds that it does not hold, one of them twice, and cash.
    let changes = [
        collateral(of_btc, 10_000_000),
        collateral(of_sol, 5_000_000_000),
        collateral(of_sol, -2_000_000_000),
        collateral(0, -1_234_567_890),
    ];
    let foretold = reports(&mut w, &user, &changes);
    deposit(&mut w, &user, &btc, 10_000_000);
    deposit(&mut w, &user, &sol, 3_000_000_000);
    let outcome = w.withdraw(&user, &usd, 1_234_567_890);
    ok(&w, outcome);
    assert_eq!(reports(&mut w, &user, &[]), foretold);
    // All of a kind.
    let foretold = reports(&mut w, &user, &[collateral(of_sol, -3_000_000_000)]);
    let outcome = w.withdraw(&user, &sol, 3_000_000_000);
    ok(&w, outcome);
    assert_eq!(reports(&mut w, &user, &[]), foretold);
}

/// Of the basis trade the methods ask for 12,000 and 8,700; nothing, since it nets, but never less than that; 20,000 and 14,300.
#[test]
fn margin_methods_can_be_compared() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let key = user.account.margin_account;
    let legs = [leg(BTC_PERP, 10_000, 0), leg(BTC_FUTURE, -10_000, 0)];
    let margin = |w: &mut World, changes: &[PreviewChange]| {
        let PreviewReport::Summary(s) = w.what_if(&key, PreviewSection::Summary, changes).0 else {
            panic!("another section");
        };
        (s.initial_margin / DOLLAR, s.maintenance_margin / DOLLAR)
    };
    for (method, expected) in [
        (MarginMethod::Portfolio, (12_000, 8_700)),
        (MarginMethod::RiskAdjusted, (12_000, 8_700)),
        (MarginMethod::Linear, (20_000, 14_300)),
    ] {
        let method = PreviewChange::Method { method };
        assert_eq!(margin(&mut w, &[legs[0], legs[1], method]), expected);
    }
    // It is what the account then has.
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, -10_000, 100_000.0);
    let method = MarginMethod::Linear;
    let foretold = reports(&mut w, &user, &[PreviewChange::Method { method }]);
    let outcome = w.set_method(&user, method);
    ok(&w, outcome);
    assert_eq!(reports(&mut w, &user, &[]), foretold);
    let method = MarginMethod::Portfolio;
    assert_eq!(margin(&mut w, &[PreviewChange::Method { method }]), (12_000, 8_700));
}

#[test]
fn a_what_if_writes_nothing() {
    let mut w = world();
    let (user, _) = pair(&mut w, 30_000);
    let before = w.vm.snapshot();
    reports(&mut w, &user, &[leg(BTC_PERP, 10_000, 0), collateral(0, 5)]);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![]);
}

/// Asserts that the summary after the changes is refused.
#[track_caller]
fn refuses_changes(w: &mut World, user: &User, error: BallastError, changes: &[PreviewChange]) {
    let request = PreviewRequest {
        section: PreviewSection::Summary,
        changes: changes.to_vec(),
    };
    let preview = instruction::preview_what_if(&w.exchange, &user.account.margin_account, request, &[]);
    refuses(w, error, |w| w.vm.send(&[preview], &[]));
}

#[test]
fn refuses_trades_that_could_not_be() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 1_000_000);
    let on = 100_000 * PRICE;
    let one = leg(BTC_PERP, 1_000, on);
    let nine = [one; MAX_CHANGES + 1];
    refuses_changes(&mut w, &user, BallastError::TooManyChanges, &nine);
    reports(&mut w, &user, &nine[..MAX_CHANGES]);
    for (error, change) in [
        (BallastError::ZeroAmount, leg(BTC_PERP, 0, on)),
        (BallastError::InstrumentNotListed, leg(6, 1_000, 0)),
        (BallastError::InstrumentNotListed, leg(65_535, 1_000, 0)),
        (BallastError::OffTick, leg(BTC_PERP, 1_000, on + 1)),
        (BallastError::OffTick, leg(BTC_PERP, 1_000, -on)),
        (
            BallastError::PriceOutsideBand,
            leg(BTC_PERP, 1_000, 102_000 * PRICE + PRICE / 10),
        ),
        (BallastError::MathOverflow, leg(BTC_PERP, i64::MAX, on)),
        (BallastError::MathOverflow, leg(BTC_PERP, i64::MIN, 0)),
    ] {
        refuses_changes(&mut w, &user, error, &[change]);
    }
    // A lot of ETH is 3 dollars. What reduces may be as small as it likes.
    let exchange = w.exchange.key;
    edit::<Exchange>(&mut w, &exchange, |e| e.limits.minimum_trade = 3 * USD + 1);
    refuses_changes(&mut w, &user, BallastError::TradeTooSmall, &[leg(ETH_PERP, 1, 0)]);
    let reduction = [leg(ETH_PERP, 100, 0), leg(ETH_PERP, -1, 0)];
    reports(&mut w, &user, &reduction);
    // Expired instruments are not traded.
    trade(&mut w, BTC_FUTURE, &user, &maker, 1_000, 100_000.0);
    w.vm.advance(60 * DAY);
    w.set_prices(&[(ballast::state::QUOTE_ASSET, 1.0), (BTC, 100_000.0), (ETH, 3_000.0)]);
    for lots in [1_000, -999, -1_000] {
        refuses_changes(
            &mut w,
            &user,
            BallastError::InstrumentExpired,
            &[leg(BTC_FUTURE, lots, on)],
        );
    }
}

#[test]
fn refuses_a_forty_first_position() {
    let mut w = world();
    let (user, _) = pair(&mut w, 30_000);
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| {
        // Forty empty positions of one future: only their number matters.
        for position in &mut a.positions {
            position.instrument = BTC_FUTURE as u16;
            position.generation = 1;
        }
        a.position_count = 40;
    });
    refuses_changes(
        &mut w,
        &user,
        BallastError::TooManyPositions,
        &[leg(BTC_PERP, 1_000, 0)],
    );
}

#[test]
fn refuses_collateral_that_is_not_there() {
    let mut w = world();
    let (user, _) = pair(&mut w, 30_000);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, 1_000);
    for (error, change) in [
        (BallastError::ZeroAmount, collateral(1, 0)),
        (BallastError::ZeroAmount, collateral(0, 0)),
        (BallastError::InsufficientBalance, collateral(1, -1_001)),
        (BallastError::InsufficientBalance, collateral(2, -1)),
        (BallastError::InsufficientBalance, collateral(1, i64::MIN)),
        // The account does not hold SOL, and its collateral was not passed.
        (BallastError::CollateralNotListed, collateral(2, 1)),
        (BallastError::MathOverflow, collateral(0, i64::MAX)),
        (BallastError::MathOverflow, collateral(1, i64::MAX)),
    ] {
        refuses_changes(&mut w, &user, error, &[change]);
    }
    // Cash may become a debt.
    let (report, _) = w.what_if(
        &user.account.margin_account,
        PreviewSection::Summary,
        &[collateral(0, -31_000 * USD as i64)],
    );
    let PreviewReport::Summary(s) = report else {
        panic!("{report:?}");
    };
    // 1,000 units of BTC are a dollar, of which 0.90 count.
    assert_eq!(s.equity_maintenance, -1_000 * DOLLAR + DOLLAR * 9 / 10);
}

#[test]
fn refuses_collaterals_of_another_exchange_and_other_accounts() {
    let mut w = world();
    let (user, _) = pair(&mut w, 30_000);
    let other = second_exchange(&mut w).exchange;
    let (sol, btc) = (w.sol.mint, w.btc.mint);
    let request = PreviewRequest {
        section: PreviewSection::Summary,
        changes: vec![collateral(2, 1_000)],
    };
    let right = instruction::preview_what_if(&w.exchange, &user.account.margin_account, request, &[sol]);
    let outcome = w.vm.send(std::slice::from_ref(&right), &[]);
    ok(&w, outcome);
    let with = |key| {
        let mut wrong = right.clone();
        *wrong.accounts.last_mut().unwrap() = AccountMeta::new_readonly(key, false);
        wrong
    };
    let foreign = with(other.collateral(&btc));
    refuses(&mut w, BallastError::WrongExchange, |w| w.vm.send(&[foreign], &[]));
    let another = with(w.exchange.collateral(&btc));
    refuses(&mut w, BallastError::CollateralNotListed, |w| {
        w.vm.send(&[another], &[])
    });
    use anchor_lang::error::ErrorCode::{AccountDiscriminatorMismatch, AccountOwnedByWrongProgram};
    let market = with(w.markets[0]);
    refuses_by_anchor(&mut w, AccountDiscriminatorMismatch, |w| w.vm.send(&[market], &[]));
    let mint = with(sol);
    refuses_by_anchor(&mut w, AccountOwnedByWrongProgram, |w| w.vm.send(&[mint], &[]));
}
