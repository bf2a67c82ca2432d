//! `deposit`: what it credits, the caps, and what it refuses.
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::events::Deposited;
use ballast::instructions::ListCollateralArgs;
use ballast::state::{Collateral, MarginAccount};
use ballast_client::instruction;
use ballast_sim::world::{mint_account, token_account, User, World, BTC, SOL, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_every_account, refuses, refuses_code};
use ballast_tests::setup::{edit, event, foreign_tokens, second_exchange, set_frozen, trader, BTC_UNIT, SOL_UNIT, USD};
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// SPL Token: the owner does not match.
const TOKEN_OWNER_MISMATCH: u32 = 4;

/// A deposit of quote out of the user's token account.
fn quote_deposit(w: &World, user: &User, amount: u64) -> Instruction {
    instruction::deposit(&w.exchange, &user.account, &w.usd.mint, &user.usd, amount)
}

#[test]
fn quote_becomes_cash() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    w.give(&user, &usd, 150 * USD);
    let outcome = w.deposit(&user, &usd, 100 * USD);
    let receipt = ok(&w, outcome);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.reserve, account.sequence), (100_000_000, 0, 1));
    assert_eq!((w.tokens(&user.usd), w.vault_amount(&usd.mint)), (50 * USD, 100 * USD));
    let pool = w.quote_pool();
    assert_eq!((pool.supplied, pool.borrowed), (100 * USD, 0));
    let record: Box<ballast::state::OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.deposits[0], 100 * USD);
    let expected = Deposited {
        margin_account: user.account.margin_account,
        sequence: 1,
        mint: usd.mint,
        amount: 100 * USD,
    };
    assert_eq!(event::<Deposited>(&receipt), expected);
}

#[test]
fn collateral_becomes_a_balance() {
    let mut w = world();
    let (user, btc, sol) = (w.user(), w.btc, w.sol);
    let outcome = w.fund(&user, &sol, 3 * SOL_UNIT);
    ok(&w, outcome);
    let outcome = w.fund(&user, &btc, 5);
    ok(&w, outcome);
    let outcome = w.fund(&user, &btc, 7);
    let receipt = ok(&w, outcome);
    let account = w.margin_account(&user.account.margin_account);
    let [first, second] = [account.balances[0], account.balances[1]];
    assert_eq!(
        (first.collateral, first.asset, first.decimals, first.amount),
        (2, SOL, 9, 3 * SOL_UNIT)
    );
    assert_eq!(
        (second.collateral, second.asset, second.decimals, second.amount),
        (1, BTC, 8, 12)
    );
    assert_eq!(account.cash, 0);
    let collateral: Box<Collateral> = w.read(&w.exchange.collateral(&btc.mint));
    assert_eq!((collateral.total_deposits, w.vault_amount(&btc.mint)), (12, 12));
    assert_eq!(
        (
            event::<Deposited>(&receipt).amount,
            event::<Deposited>(&receipt).sequence
        ),
        (7, 3)
    );
}

#[test]
fn a_deposit_repays_a_debt() {
    let mut w = world();
    let (lender, user) = (trader(&mut w, 1_000), w.user());
    let (btc, usd) = (w.btc, w.usd);
    let outcome = w.fund(&user, &btc, BTC_UNIT);
    ok(&w, outcome);
    let outcome = w.withdraw(&user, &usd, 500 * USD);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).cash, -500_000_000);
    assert_eq!(
        (w.quote_pool().supplied, w.quote_pool().borrowed),
        (1_000 * USD, 500 * USD)
    );
    let outcome = w.deposit(&user, &usd, 500 * USD);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).cash, 0);
    assert_eq!((w.quote_pool().supplied, w.quote_pool().borrowed), (1_000 * USD, 0));
    assert_eq!(w.margin_account(&lender.account.margin_account).cash, 1_000_000_000);
}

#[test]
fn a_delegate_deposits_its_own_tokens() {
    let mut w = world();
    let (user, delegate) = (w.user(), trader(&mut w, 0));
    let wallet = user.key.pubkey();
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, vec![delegate.key.pubkey()]);
    let outcome = w.vm.send(&[open], &[&user.key]);
    ok(&w, outcome);
    w.accounts.push(w.exchange.margin_account(&wallet, 1));
    let mut account = instruction::AccountKeys::new(&w.exchange, &wallet, 1);
    account.signer = delegate.key.pubkey();
    let usd = w.usd;
    w.give(&delegate, &usd, 10 * USD);
    let deposit = instruction::deposit(&w.exchange, &account, &usd.mint, &delegate.usd, 10 * USD);
    let outcome = w.vm.send(&[deposit], &[&delegate.key]);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&account.margin_account).cash, 10_000_000);
    assert_eq!(w.tokens(&delegate.usd), 0);
}

#[test]
fn refuses_zero_and_more_than_the_source_holds() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    w.give(&user, &usd, 100);
    refuses(&mut w, BallastError::ZeroAmount, |w| w.deposit(&user, &usd, 0));
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.deposit(&user, &usd, 101)
    });
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.deposit(&user, &usd, u64::MAX)
    });
    let outcome = w.deposit(&user, &usd, 100);
    ok(&w, outcome);
}

#[test]
fn refuses_a_frozen_source() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    w.give(&user, &usd, 100);
    set_frozen(&mut w, &user.usd, true);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.deposit(&user, &usd, 100)
    });
}

#[test]
fn refuses_somebody_elses_tokens() {
    let mut w = world();
    let (user, other, usd) = (w.user(), w.user(), w.usd);
    w.give(&other, &usd, 100);
    let deposit = instruction::deposit(&w.exchange, &user.account, &usd.mint, &other.usd, 100);
    refuses_code(&mut w, TOKEN_OWNER_MISMATCH, "the token program's owner check", |w| {
        w.vm.send(&[deposit], &[&user.key])
    });
}

#[test]
fn refuses_a_stranger() {
    let mut w = world();
    let (user, stranger, usd) = (w.user(), w.user(), w.usd);
    w.give(&stranger, &usd, 100);
    let mut account = user.account;
    account.signer = stranger.key.pubkey();
    let deposit = instruction::deposit(&w.exchange, &account, &usd.mint, &stranger.usd, 100);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[deposit], &[&stranger.key])
    });
}

#[test]
fn refuses_another_vault_source_or_record() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 0), trader(&mut w, 100));
    let (usd, btc) = (w.usd, w.btc);
    w.give(&user, &usd, 100);
    let right = quote_deposit(&w, &user, 100);

    // A vault of the right mint, and the vault of another mint.
    let mine = w.vm.keypair().pubkey();
    w.vm.put(mine, TOKEN_PROGRAM, token_account(&usd.mint, &user.key.pubkey(), 0));
    for vault in [mine, w.exchange.vault(&btc.mint)] {
        let mut wrong = right.clone();
        wrong.accounts[1].pubkey = vault;
        refuses(&mut w, BallastError::WrongVault, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    let mut wrong = right.clone();
    wrong.accounts[4].pubkey = other.account.owner;
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let foreign = foreign_tokens(&mut w, &user.key.pubkey(), 1_000);
    for source in [foreign, user.btc] {
        let mut wrong = right.clone();
        wrong.accounts[5].pubkey = source;
        refuses(&mut w, BallastError::WrongMint, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    // The vault itself as the source.
    let mut wrong = right.clone();
    wrong.accounts[5].pubkey = wrong.accounts[1].pubkey;
    refuses(&mut w, BallastError::DuplicateAccount, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    checks_every_account(&mut w, &right, &[&user.key]);
}

#[test]
fn refuses_collateral_or_pool_of_another_exchange() {
    let mut w = world();
    let (user, usd) = (w.user(), w.usd);
    let other = second_exchange(&mut w).exchange;
    w.give(&user, &usd, 100);
    let mut wrong = quote_deposit(&w, &user, 100);
    wrong.accounts[0].pubkey = other.collateral(&usd.mint);
    wrong.accounts[1].pubkey = other.vault(&usd.mint);
    refuses(&mut w, BallastError::WrongExchange, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let mut wrong = quote_deposit(&w, &user, 100);
    wrong.accounts[2].pubkey = other.quote_pool();
    refuses(&mut w, BallastError::WrongExchange, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
}

#[test]
fn caps_hold_to_the_unit() {
    let mut w = world();
    let (user, other, btc) = (w.user(), w.user(), w.btc);
    // Genesis: 500 BTC an owner, 2,000 BTC in all.
    let owner_cap = 500 * BTC_UNIT;
    w.give(&user, &btc, owner_cap + 1);
    refuses(&mut w, BallastError::OwnerDepositCapExceeded, |w| {
        w.deposit(&user, &btc, owner_cap + 1)
    });
    let outcome = w.deposit(&user, &btc, owner_cap);
    ok(&w, outcome);
    refuses(&mut w, BallastError::OwnerDepositCapExceeded, |w| {
        w.deposit(&user, &btc, 1)
    });
    for _ in 0..2 {
        let third = w.user();
        let outcome = w.fund(&third, &btc, owner_cap);
        ok(&w, outcome);
    }
    let outcome = w.fund(&other, &btc, owner_cap - 1);
    ok(&w, outcome);
    let last = w.user();
    w.give(&last, &btc, 2);
    refuses(&mut w, BallastError::DepositCapExceeded, |w| w.deposit(&last, &btc, 2));
    let outcome = w.deposit(&last, &btc, 1);
    ok(&w, outcome);
    assert_eq!(w.vault_amount(&btc.mint), 2_000 * BTC_UNIT);
}

#[test]
fn the_owners_cap_counts_all_its_accounts() {
    let mut w = world();
    let (user, btc) = (w.user(), w.btc);
    let outcome = w.fund(&user, &btc, 500 * BTC_UNIT);
    ok(&w, outcome);
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    w.give(&user, &btc, 1);
    let second = instruction::AccountKeys::new(&w.exchange, &user.key.pubkey(), 1);
    let deposit = instruction::deposit(&w.exchange, &second, &btc.mint, &user.btc, 1);
    refuses(&mut w, BallastError::OwnerDepositCapExceeded, |w| {
        w.vm.send(&[deposit], &[&user.key])
    });
}

#[test]
fn refuses_a_ninth_kind_of_collateral() {
    let mut w = world();
    let user = w.user();
    let (authority, wallet) = (w.authority.insecure_clone(), user.key.pubkey());
    let mut deposits = Vec::new();
    for _ in 0..9 {
        let (mint, tokens) = (w.vm.keypair().pubkey(), w.vm.keypair().pubkey());
        w.vm.put(mint, TOKEN_PROGRAM, mint_account(9));
        w.vm.put(tokens, TOKEN_PROGRAM, token_account(&mint, &wallet, 10));
        let args = ListCollateralArgs {
            asset: SOL,
            deposit_cap: 100,
            owner_deposit_cap: 100,
        };
        let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, args);
        let outcome = w.vm.send(&[list], &[&authority]);
        ok(&w, outcome);
        deposits.push(instruction::deposit(&w.exchange, &user.account, &mint, &tokens, 1));
    }
    let ninth = deposits.pop().expect("nine of them");
    for deposit in &deposits {
        let outcome = w.vm.send(std::slice::from_ref(deposit), &[&user.key]);
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    refuses(&mut w, BallastError::TooManyCollaterals, |w| {
        w.vm.send(&[ninth], &[&user.key])
    });
    // One more of a kind that it has is fine.
    let outcome = w.vm.send(&deposits[..1], &[&user.key]);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn refuses_what_leaves_the_range() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 1), w.usd);
    w.give(&user, &usd, u64::MAX);
    // The vault's million units and the amount together leave 64 bits.
    refuses(&mut w, BallastError::MathOverflow, |w| w.deposit(&user, &usd, u64::MAX));
    // Cash would leave 63 bits: no cap stands in front of it.
    let collateral = w.exchange.collateral(&usd.mint);
    edit::<Collateral>(&mut w, &collateral, |c| {
        (c.deposit_cap, c.owner_deposit_cap) = (u64::MAX, u64::MAX)
    });
    refuses(&mut w, BallastError::MathOverflow, |w| w.deposit(&user, &usd, 1 << 63));
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| a.cash = i64::MAX);
    refuses(&mut w, BallastError::MathOverflow, |w| w.deposit(&user, &usd, 1));
}

#[test]
fn refuses_a_collateral_past_the_last_slot() {
    let mut w = world();
    let (user, btc) = (w.user(), w.btc);
    w.give(&user, &btc, 1);
    let collateral = w.exchange.collateral(&btc.mint);
    edit::<Collateral>(&mut w, &collateral, |c| c.index = 16);
    refuses(&mut w, BallastError::CollateralNotListed, |w| w.deposit(&user, &btc, 1));
}
