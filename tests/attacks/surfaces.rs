//! Attacks on volatility surfaces: by whom they are published, and how fast they move.
use ballast::error::BallastError;
use ballast::instructions::{Summary, SurfaceUpdate};
use ballast::state::{MarginMethod, RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{Outcome, World, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// An exchange with an ETH future of 73 days and a publisher.
fn desk() -> (World, Keypair, i64) {
    let mut w = world();
    let (authority, publisher) = (w.authority.insecure_clone(), w.vm.keypair());
    let name = instruction::set_volatility_publisher(&w.exchange, &authority.pubkey(), publisher.pubkey());
    let outcome = w.vm.send(&[name], &[&authority]);
    ok(&w, outcome);
    let expiry = w.vm.now() + 73 * DAY;
    list_future(&mut w, ETH, expiry, 0);
    (w, publisher, expiry)
}

fn refresh(w: &mut World, signer: &Keypair, updates: &[SurfaceUpdate]) -> Outcome {
    let refresh = instruction::refresh_surface(&w.exchange, &signer.pubkey(), ETH, updates.to_vec());
    w.vm.send(&[refresh], &[signer])
}

#[test]
fn attack_publishing_with_the_board_or_publisher_of_another_exchange() {
    let (mut w, publisher, expiry) = desk();
    let (authority, theirs) = (w.authority.insecure_clone(), w.vm.keypair());
    let second = second_exchange(&mut w).exchange;
    let name = instruction::set_volatility_publisher(&second, &authority.pubkey(), theirs.pubkey());
    let outcome = w.vm.send(&[name], &[&authority]);
    ok(&w, outcome);
    let updates = vec![flat(expiry, 60)];
    refuses(&mut w, BallastError::NotPublisher, |w| refresh(w, &theirs, &updates));
    for (exchange, board, signer) in [
        (&w.exchange.clone(), second.board, &publisher),
        (&second, w.exchange.board, &theirs),
    ] {
        let mut wrong = instruction::refresh_surface(exchange, &signer.pubkey(), ETH, updates.clone());
        wrong.accounts[1].pubkey = board;
        refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[signer]));
    }
    let outcome = refresh(&mut w, &publisher, &updates);
    ok(&w, outcome);
}

/// An expiry named twice in a batch is as fast as the clock lets it: the second step has no time at all. A minute lets 60 % go to 63 %.
#[test]
fn attack_an_expiry_twice_in_a_batch_moves_once() {
    let (mut w, publisher, expiry) = desk();
    let outcome = refresh(&mut w, &publisher, &[flat(expiry, 60)]);
    ok(&w, outcome);
    w.vm.advance(60);
    let (once, twice) = (flat(expiry, 62), flat(expiry, 63));
    refuses(&mut w, BallastError::SurfaceTooFast, |w| {
        refresh(w, &publisher, &[once, twice])
    });
    let outcome = refresh(&mut w, &publisher, &[once, once]);
    ok(&w, outcome);
    let listed = w.board().assets[usize::from(ETH)].expiries[1];
    assert_eq!(listed.surface, once.surface);
}

/// A fake trend in the forward: futures are open before any surface is published, and the first one claims a basis of 6.5 %, which the
/// expiry's bound allows. Bound alone, it would move the mark by $195 of 3,000 at once: 10 futures bought would gain $1,950, and shorts
/// margined for 12 % would lose half of it. From the listing on the basis moves by 2 % an hour: in a minute a dollar of 3,000.
#[test]
fn attack_the_first_surface_jumps_the_basis_under_open_futures() {
    let (mut w, publisher, expiry) = desk();
    let future = w.markets.len() - 1;
    let (victim, rogue) = (trader(&mut w, 5_000), trader(&mut w, 5_000));
    trade(&mut w, future, &rogue, &victim, 10_000, 3_000.0);
    let before = w.summary(&victim.account.margin_account).equity_maintenance;
    let with = |basis| SurfaceUpdate {
        basis,
        ..flat(expiry, 60)
    };
    refuses(&mut w, BallastError::SurfaceTooFast, |w| {
        refresh(w, &publisher, &[with(65_000_000)])
    });
    assert_eq!(w.summary(&victim.account.margin_account).equity_maintenance, before);
    w.vm.advance(60);
    refuses(&mut w, BallastError::SurfaceTooFast, |w| {
        refresh(w, &publisher, &[with(333_334)])
    });
    let outcome = refresh(&mut w, &publisher, &[with(333_333)]);
    ok(&w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    // 10 ETH · 3,000 · 333,333·10⁻⁹ = 9.99999 dollars.
    let after = w.summary(&victim.account.margin_account).equity_maintenance;
    assert_eq!(before - after, 999_999_000);
}

/// A variance floor is a volatility that grows as the expiry comes near: with an hour and a minute to go 0.001 is √(0.001 · 365 · 24) = 296 %
/// where the surface says 60 %. It moves no faster than the surface: in a minute by 3 points of volatility, which is 0.03² · 3,600/31,536,000 =
/// 1.0274·10⁻⁷ then.
#[test]
fn attack_a_variance_floor_outruns_the_speed_of_volatility() {
    let (mut w, publisher, expiry) = desk();
    w.vm.advance(73 * DAY - 3_660);
    let outcome = refresh(&mut w, &publisher, &[flat(expiry, 60)]);
    ok(&w, outcome);
    w.vm.advance(60);
    let with = |variance_floor| {
        let mut update = flat(expiry, 60);
        update.surface.variance_floor = variance_floor;
        update
    };
    for floor in [1_000_000, 103] {
        refuses(&mut w, BallastError::SurfaceTooFast, |w| {
            refresh(w, &publisher, &[with(floor)])
        });
    }
    let outcome = refresh(&mut w, &publisher, &[with(102)]);
    ok(&w, outcome);
}

/// A publisher falls silent, and the seller of twenty calls takes out what the last surface leaves him, or bets it anew, before the market's
/// is published. A second after 15 minutes his calls count as if volatility had been shocked: what that costs stays.
#[test]
fn attack_withdrawing_on_a_surface_that_is_out_of_date() {
    let mut d = Desk::new(65);
    let (user, maker) = (d.trader(30_000.0), trader(&mut d.w, 1_000_000));
    let call = d.call(3_000);
    d.open(&[(call, -20.0)], &user, &maker);
    let (usd, board) = (d.w.usd, d.w.exchange.board);
    let published = |d: &mut Desk, seconds: i64| {
        let time = d.w.vm.now() - seconds;
        edit::<RiskBoard>(&mut d.w, &board, |b| {
            b.assets[usize::from(ETH)].expiries[1].surface_time = time;
        });
    };
    published(&mut d, 900);
    let fresh = d.summary(&user);
    published(&mut d, 901);
    let stale = d.summary(&user);
    let [up, down, ..] = d.w.asset_section(&user.account.margin_account, ETH).scenarios;
    let doubt = -up.min(down);
    assert!(doubt > 1_000 * DOLLAR, "{doubt}");
    // The shocks are wider by 1/2,700 already.
    let wider = stale.initial_margin - fresh.initial_margin;
    assert!(wider > 0 && wider < fresh.initial_margin / 2_700, "{wider}");
    let lowered = Summary {
        initial_margin: stale.initial_margin,
        scan: stale.scan,
        levels: stale.levels,
        equity_initial: fresh.equity_initial - doubt,
        equity_withdrawal: fresh.equity_withdrawal - doubt,
        ..fresh
    };
    assert_eq!(stale, lowered);
    // A quote unit is a hundred of a report's.
    let room = |s: &Summary| ((s.equity_withdrawal - s.initial_margin) / 100) as u64;
    for units in [room(&fresh), room(&stale) + 1] {
        refuses(&mut d.w, BallastError::InsufficientMargin, |w| {
            w.withdraw(&user, &usd, units)
        });
    }
    let outcome = d.w.withdraw(&user, &usd, room(&stale));
    ok(&d.w, outcome);
    refuses(&mut d.w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, -100, 100_000.0)
    });
    // With a surface all of it is free again.
    published(&mut d, 900);
    trade(&mut d.w, BTC_PERP, &user, &maker, -100, 100_000.0);
    let left = room(&d.summary(&user));
    let outcome = d.w.withdraw(&user, &usd, left);
    ok(&d.w, outcome);
    // And where nothing is left, no method is changed on a stale one.
    published(&mut d, 901);
    refuses(&mut d.w, BallastError::InsufficientMargin, |w| {
        w.set_method(&user, MarginMethod::RiskAdjusted)
    });
}
