//! `fund_insurance`: anyone gives, nobody takes back.
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::events::InsuranceFunded;
use ballast::state::InsuranceFund;
use ballast_client::instruction;
use ballast_sim::world::{token_account, User, World, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{edit, event, foreign_tokens, second_exchange, set_frozen, USD};
use ballast_tests::{ok, world};
use solana_signer::Signer;

fn contribution(w: &World, user: &User, amount: u64) -> Instruction {
    instruction::fund_insurance(&w.exchange, &user.key.pubkey(), &user.usd, amount)
}

#[test]
fn the_fund_grows_by_what_is_given() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    let outcome = w.fund_insurance(&user, 40 * USD);
    ok(&w, outcome);
    let outcome = w.fund_insurance(&user, 2 * USD);
    let receipt = ok(&w, outcome);
    let fund = w.insurance_fund();
    assert_eq!((fund.balance, fund.contributed), (42 * USD, 42 * USD));
    assert_eq!((fund.earned, fund.bounties_paid), (0, 0));
    assert_eq!((w.tokens(&user.usd), w.vault_amount(&usd.mint)), (0, 42 * USD));
    let expected = InsuranceFunded {
        exchange: w.exchange.key,
        contributor: user.key.pubkey(),
        amount: 2 * USD,
        balance: 42 * USD,
    };
    assert_eq!(event::<InsuranceFunded>(&receipt), expected);
}

#[test]
fn refuses_zero_and_what_the_source_can_not_pay() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    w.give(&user, &usd, 100);
    for (amount, error) in [
        (0, BallastError::ZeroAmount),
        (101, BallastError::TokenAccountUnusable),
        (u64::MAX, BallastError::TokenAccountUnusable),
    ] {
        let fund = contribution(&w, &user, amount);
        refuses(&mut w, error, |w| w.vm.send(&[fund], &[&user.key]));
    }
    set_frozen(&mut w, &user.usd, true);
    let fund = contribution(&w, &user, 100);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.vm.send(&[fund], &[&user.key])
    });
    set_frozen(&mut w, &user.usd, false);
    let fund = contribution(&w, &user, 100);
    let outcome = w.vm.send(&[fund], &[&user.key]);
    ok(&w, outcome);
}

#[test]
fn refuses_another_mint_vault_or_exchange() {
    let mut w = world();
    let (user, usd, btc) = (w.user(), w.usd, w.btc);
    w.give(&user, &usd, 100);
    w.give(&user, &btc, 100);
    let right = contribution(&w, &user, 100);

    // BTC with its own vault is no quote.
    let mut wrong = right.clone();
    wrong.accounts[0].pubkey = w.exchange.collateral(&btc.mint);
    wrong.accounts[1].pubkey = w.exchange.vault(&btc.mint);
    wrong.accounts[3].pubkey = user.btc;
    refuses(&mut w, BallastError::WrongMint, |w| w.vm.send(&[wrong], &[&user.key]));
    let mine = w.vm.keypair().pubkey();
    w.vm.put(mine, TOKEN_PROGRAM, token_account(&usd.mint, &user.key.pubkey(), 0));
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = mine;
    refuses(&mut w, BallastError::WrongVault, |w| w.vm.send(&[wrong], &[&user.key]));
    let mut wrong = right.clone();
    wrong.accounts[3].pubkey = foreign_tokens(&mut w, &user.key.pubkey(), 1_000);
    refuses(&mut w, BallastError::WrongMint, |w| w.vm.send(&[wrong], &[&user.key]));
    let mut wrong = right.clone();
    wrong.accounts[3].pubkey = wrong.accounts[1].pubkey;
    refuses(&mut w, BallastError::DuplicateAccount, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let other = second_exchange(&mut w).exchange;
    let mut wrong = right.clone();
    wrong.accounts[2].pubkey = other.insurance_fund();
    refuses(&mut w, BallastError::WrongExchange, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    checks_every_account(&mut w, &right, &[&user.key]);
}

#[test]
fn refuses_what_leaves_the_range() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    w.give(&user, &usd, 2);
    let fund = w.exchange.insurance_fund();
    edit::<InsuranceFund>(&mut w, &fund, |f| f.balance = u64::MAX - 1);
    let contribution = contribution(&w, &user, 2);
    refuses(&mut w, BallastError::MathOverflow, |w| {
        w.vm.send(&[contribution], &[&user.key])
    });
}
