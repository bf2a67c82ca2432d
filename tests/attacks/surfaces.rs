//! Attacks on volatility surfaces: by whom they are published, and how fast they move.
use ballast::error::BallastError;
use ballast::instructions::SurfaceUpdate;
use ballast_client::instruction;
use ballast_sim::world::{Outcome, World, ETH};
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
