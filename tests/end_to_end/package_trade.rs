//! `block_trade` of several legs: margined once after all of them, and through whole or not at all.
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::events::Traded;
use ballast::instructions::TradeLeg;
use ballast::state::MarginAccount;
use ballast_client::instruction;
use ballast_sim::world::{Outcome, User, World, BTC};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// The package of these (instrument, lots, dollars) between two users.
fn package(w: &World, legs: &[(usize, i64, i64)], taker: &User, maker: &User) -> Instruction {
    let leg = |(instrument, lots, dollars): &(usize, i64, i64)| {
        let price = dollars * PRICE;
        (w.markets[*instrument], TradeLeg { lots: *lots, price })
    };
    let legs: Vec<_> = legs.iter().map(leg).collect();
    instruction::package_trade(&w.exchange, &legs, &taker.account, &maker.account)
}

fn send(w: &mut World, legs: &[(usize, i64, i64)], taker: &User, maker: &User) -> Outcome {
    let trade = package(w, legs, taker, maker);
    w.vm.send(&[trade], &[&taker.key, &maker.key])
}

/// Moves quote units from one account to another, as a loss elsewhere would.
fn lose(w: &mut World, from: &User, to: &User, units: i64) {
    let (from, to) = (from.account.margin_account, to.account.margin_account);
    edit::<MarginAccount>(w, &from, |a| a.cash -= units);
    edit::<MarginAccount>(w, &to, |a| a.cash += units);
}

/// The basis trade of margin.md section 0 in one instruction.
#[test]
fn a_basis_trade_needs_its_own_margin_only() {
    let mut w = world();
    // IM 12,000, the reserve of 2 and fees of 5 basis points on both legs, 100: the first leg alone is 10,000, both outright 20,000.
    let (taker, maker) = pair(&mut w, 12_102);
    let legs = [(BTC_PERP, 10_000, 100_000), (BTC_FUTURE, -10_000, 100_000)];
    let outcome = send(&mut w, &legs, &taker, &maker);
    let receipt = ok(&w, outcome);
    for user in [&taker, &maker] {
        let s = w.summary(&user.account.margin_account);
        assert_eq!(
            (s.initial_margin, s.maintenance_margin),
            (12_000 * DOLLAR, 8_700 * DOLLAR)
        );
    }
    assert_eq!(w.summary(&taker.account.margin_account).equity_initial, 12_000 * DOLLAR);
    // One event a leg, in their order.
    assert_eq!(receipt.events.len(), 2);
    let first = event::<Traded>(&receipt);
    assert_eq!(
        (first.instrument, first.lots, first.price),
        (0, 10_000, 100_000 * PRICE)
    );
    assert_eq!((first.taker_fee, first.maker_fee), (50_000_000, 20_000_000));
    for (instrument, sign) in [(BTC_PERP, 1), (BTC_FUTURE, -1)] {
        let market = w.market(instrument);
        assert_eq!(
            (market.open_interest, market.positions, market.sequence),
            (10_000, 2, 1)
        );
        // 70 of fees, a fifth of them the fund's.
        assert_eq!((market.fees_due, market.insurance_due), (56_000_000, 14_000_000));
        let lots = |user: &User| {
            w.margin_account(&user.account.margin_account)
                .position(instrument as u16)
                .unwrap()
                .lots
        };
        assert_eq!((lots(&taker), lots(&maker)), (sign * 10_000, sign * -10_000));
    }
    // A cent less and it is refused as a whole.
    let poor = trader(&mut w, 0);
    let usd = w.usd;
    deposit(&mut w, &poor, &usd, 12_101_990_000);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        send(w, &legs, &poor, &maker)
    });
}

/// Under IM one leg of a hedged pair frees too little to be sold half a percent under the mark; both together free it all.
#[test]
fn a_package_counts_once_under_the_initial_margin() {
    let mut w = world();
    let (taker, maker) = (trader(&mut w, 12_102), trader(&mut w, 1_000_000));
    let open = [(BTC_PERP, 10_000, 100_000), (BTC_FUTURE, -10_000, 100_000)];
    let outcome = send(&mut w, &open, &taker, &maker);
    ok(&w, outcome);
    lose(&mut w, &taker, &maker, 2_500_000_000); // E 9,500 against an IM of 12,000
    let key = taker.account.margin_account;
    let s = w.summary(&key);
    assert!(s.equity_initial < s.initial_margin && !s.liquidatable);
    // MM falls from 8,700 to 7,150: 30 % of 1,550 are 465, the loss is 500 and the fee 49.75.
    let close = [(BTC_PERP, -10_000, 99_500), (BTC_FUTURE, 10_000, 100_000)];
    refuses(&mut w, BallastError::ReductionTooCostly, |w| {
        send(w, &close[..1], &taker, &maker)
    });
    let outcome = send(&mut w, &close, &taker, &maker);
    ok(&w, outcome);
    // 9,500 − 500 − 49.75 − 50, the reserve counts nothing until the quotes have settled.
    let s = w.summary(&key);
    assert_eq!((s.initial_margin, s.equity_maintenance), (0, 890_025_000_000));
}

#[test]
fn refuses_malformed_packages() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 1_000_000);
    let one = (BTC_PERP, 1_000, 100_000);
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        send(w, &[one, (ETH_PERP, 0, 3_000)], &taker, &maker)
    });
    refuses(&mut w, BallastError::OffTick, |w| {
        send(w, &[one, (ETH_PERP, 1, -3_000)], &taker, &maker)
    });
    refuses(&mut w, BallastError::PriceOutsideBand, |w| {
        send(w, &[one, (ETH_PERP, 1_000, 3_061)], &taker, &maker)
    });
    // One market twice, first or later.
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        send(w, &[one, one], &taker, &maker)
    });
    let eth = (ETH_PERP, 1_000, 3_000);
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        send(w, &[one, eth, eth], &taker, &maker)
    });
    // Markets that are missing, too many, read-only or not the recorded ones.
    let right = package(&w, &[one, eth], &taker, &maker);
    let last = right.accounts.len() - 1;
    let forged = copy_account(&mut w, &right.accounts[last].pubkey);
    let foreign = second_exchange(&mut w).markets[0];
    let extra = AccountMeta::new(Pubkey::new_unique(), false);
    let wrong = |change: fn(&mut Vec<AccountMeta>)| {
        let mut wrong = right.clone();
        change(&mut wrong.accounts);
        wrong
    };
    let mut with_more = right.clone();
    with_more.accounts.push(extra);
    for (error, wrong) in [
        (BallastError::MarketMissing, wrong(|a| a.truncate(a.len() - 1))),
        (BallastError::MarketMissing, with_more),
        (
            BallastError::WrongMarket,
            wrong(|a| a.last_mut().unwrap().is_writable = false),
        ),
        (
            BallastError::UnexpectedAccount,
            wrong(|a| a.last_mut().unwrap().pubkey = a[2].pubkey),
        ),
    ] {
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&taker.key, &maker.key]));
    }
    for market in [forged, foreign] {
        let mut wrong = right.clone();
        wrong.accounts[last].pubkey = market;
        refuses(&mut w, BallastError::WrongMarket, |w| {
            w.vm.send(&[wrong], &[&taker.key, &maker.key])
        });
    }
    let outcome = w.vm.send(&[right], &[&taker.key, &maker.key]);
    ok(&w, outcome);
}

#[test]
fn takes_eight_legs_and_no_ninth() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 1_000_000);
    let mut legs = vec![
        (BTC_PERP, 100, 100_000),
        (BTC_FUTURE, -100, 100_000),
        (ETH_PERP, 100, 3_000),
        (ETH_FUTURE, -100, 3_000),
        (SOL_PERP, 100, 150),
        (SOL_FUTURE, -100, 150),
    ];
    for week in 1..4 {
        let expiry = ballast_sim::world::START + (10 + 7 * week) * DAY;
        legs.push((list_future(&mut w, BTC, expiry, 0), 100, 100_000));
    }
    refuses(&mut w, BallastError::TooManyLegs, |w| send(w, &legs, &taker, &maker));
    legs.pop();
    let outcome = send(&mut w, &legs, &taker, &maker);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&taker.account.margin_account).position_count, 8);
}
