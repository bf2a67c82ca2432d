//! `set_volatility_publisher`: who may publish volatility surfaces, and who names him.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::instructions::SurfaceUpdate;
use ballast_client::instruction;
use ballast_sim::world::{Outcome, World, BTC, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{flat, second_exchange, DAY};
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn name(w: &mut World, signer: &Keypair, publisher: Pubkey) -> Outcome {
    let name = instruction::set_volatility_publisher(&w.exchange, &signer.pubkey(), publisher);
    w.vm.send(&[name], &[signer])
}

/// A surface for the BTC future of genesis.
fn publish(w: &mut World, publisher: &Keypair) -> Outcome {
    let update = SurfaceUpdate {
        basis: w.board().assets[usize::from(BTC)].expiries[0].basis,
        ..flat(START + 60 * DAY, 60)
    };
    let refresh = instruction::refresh_surface(&w.exchange, &publisher.pubkey(), BTC, vec![update]);
    w.vm.send(&[refresh], &[publisher])
}

#[test]
fn the_publisher_named_last_may_publish() {
    let mut w = world();
    let (authority, first, second) = (w.authority.insecure_clone(), w.vm.keypair(), w.vm.keypair());
    assert_eq!(w.exchange_account().volatility_publisher, Pubkey::default());
    let before = w.vm.snapshot();
    let outcome = name(&mut w, &authority, first.pubkey());
    ok(&w, outcome);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![w.exchange.key]);
    assert_eq!(w.exchange_account().volatility_publisher, first.pubkey());
    let outcome = publish(&mut w, &first);
    ok(&w, outcome);
    let outcome = name(&mut w, &authority, second.pubkey());
    ok(&w, outcome);
    refuses(&mut w, BallastError::NotPublisher, |w| publish(w, &first));
    let outcome = publish(&mut w, &second);
    ok(&w, outcome);
}

#[test]
fn the_default_key_names_nobody() {
    let mut w = world();
    let (authority, publisher) = (w.authority.insecure_clone(), w.vm.keypair());
    let outcome = name(&mut w, &authority, publisher.pubkey());
    ok(&w, outcome);
    let outcome = name(&mut w, &authority, Pubkey::default());
    ok(&w, outcome);
    assert_eq!(w.exchange_account().volatility_publisher, Pubkey::default());
    for signer in [&publisher, &authority] {
        refuses(&mut w, BallastError::NotPublisher, |w| publish(w, signer));
    }
}

#[test]
fn refuses_everybody_but_the_authority() {
    let mut w = world();
    let (authority, publisher, user) = (w.authority.insecure_clone(), w.vm.keypair(), w.user());
    let outcome = name(&mut w, &authority, publisher.pubkey());
    ok(&w, outcome);
    for signer in [&publisher, &user.key] {
        refuses(&mut w, BallastError::NotAuthority, |w| name(w, signer, signer.pubkey()));
    }
    let right = instruction::set_volatility_publisher(&w.exchange, &authority.pubkey(), user.key.pubkey());
    checks_every_account(&mut w, &right, &[&authority]);
}

#[test]
fn a_publisher_is_one_exchanges_own() {
    let mut w = world();
    let (authority, publisher) = (w.authority.insecure_clone(), w.vm.keypair());
    let second = second_exchange(&mut w).exchange;
    let name = instruction::set_volatility_publisher(&second, &authority.pubkey(), publisher.pubkey());
    let outcome = w.vm.send(&[name], &[&authority]);
    ok(&w, outcome);
    assert_eq!(w.exchange_account().volatility_publisher, Pubkey::default());
    refuses(&mut w, BallastError::NotPublisher, |w| publish(w, &publisher));
}
