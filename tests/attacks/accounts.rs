//! Whose account, which accounts, how often and in which order.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::system_instruction;
use ballast::error::BallastError;
use ballast::state::POSITION_RESERVE;
use ballast_client::address::event_authority;
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::refusal::{checks_every_account, refuses, refuses_by_anchor, refuses_code, ALREADY_IN_USE};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::*;

/// The victim's account with the attacker's signature.
fn stolen(victim: &User, attacker: &User) -> AccountKeys {
    AccountKeys {
        signer: attacker.key.pubkey(),
        ..victim.account
    }
}

#[test]
fn attack_acting_for_somebody_else() {
    let mut w = world();
    let (victim, attacker) = pair(&mut w, 50_000);
    let usd = w.usd;
    w.give(&attacker, &usd, USD);
    let keys = stolen(&victim, &attacker);
    let (exchange, market) = (w.exchange, w.markets[BTC_PERP]);
    let withdraw = instruction::withdraw(&exchange, &keys, &usd.mint, &attacker.usd, USD, &[]);
    refuses(&mut w, BallastError::NotOwner, |w| {
        w.vm.send(&[withdraw], &[&attacker.key])
    });
    let deposit = instruction::deposit(&exchange, &keys, &usd.mint, &attacker.usd, USD);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[deposit], &[&attacker.key])
    });
    let price = 98_000 * PRICE;
    let sell = instruction::block_trade(&exchange, &market, &keys, &attacker.account, -100, price);
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[sell], &[&attacker.key])
    });
    let buy = instruction::block_trade(&exchange, &market, &attacker.account, &keys, 100, price);
    refuses(&mut w, BallastError::NotTrader, |w| w.vm.send(&[buy], &[&attacker.key]));
    let mut close = instruction::close_margin_account(&exchange, &attacker.key.pubkey(), 0);
    close.accounts[0].pubkey = victim.account.margin_account;
    close.accounts[1].pubkey = victim.account.owner;
    refuses(&mut w, BallastError::NotOwner, |w| {
        w.vm.send(&[close], &[&attacker.key])
    });
}

/// Somebody else's record would carry the attacker's open interest and deposits.
#[test]
fn attack_somebody_elses_owner_record() {
    let mut w = world();
    let (victim, attacker) = pair(&mut w, 50_000);
    let (exchange, usd, market) = (w.exchange, w.usd, w.markets[BTC_PERP]);
    w.give(&attacker, &usd, USD);
    let keys = AccountKeys {
        owner: victim.account.owner,
        ..attacker.account
    };
    let all = [
        instruction::deposit(&exchange, &keys, &usd.mint, &attacker.usd, USD),
        instruction::withdraw(&exchange, &keys, &usd.mint, &attacker.usd, USD, &[]),
        instruction::block_trade(&exchange, &market, &keys, &victim.account, 100, 100_000 * PRICE),
        instruction::block_trade(&exchange, &market, &victim.account, &keys, 100, 100_000 * PRICE),
        instruction::liquidate(&exchange, &market, &victim.account, &keys, 1),
        instruction::liquidate(&exchange, &market, &keys, &victim.account, 1),
    ];
    for one in all {
        refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
            w.vm.send(std::slice::from_ref(&one), &signers(&one, &[&attacker, &victim]))
        });
    }
}

/// Those of the users whose signature the instruction asks for.
fn signers<'a>(instruction: &Instruction, users: &[&'a User]) -> Vec<&'a Keypair> {
    let named = |user: &&&User| {
        let signs = |m: &AccountMeta| m.is_signer && m.pubkey == user.key.pubkey();
        instruction.accounts.iter().any(signs)
    };
    users.iter().filter(named).map(|user| &user.key).collect()
}

#[test]
fn attack_a_delegate_withdraws() {
    let mut w = world();
    let (owner, delegate) = (w.user(), w.user());
    let wallet = owner.key.pubkey();
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, vec![delegate.key.pubkey()]);
    let outcome = w.vm.send(&[open], &[&owner.key]);
    ok(&w, outcome);
    let account = AccountKeys {
        signer: delegate.key.pubkey(),
        ..AccountKeys::new(&w.exchange, &wallet, 1)
    };
    w.accounts.push(account.margin_account);
    let usd = w.usd;
    w.give(&delegate, &usd, 10 * USD);
    let deposit = instruction::deposit(&w.exchange, &account, &usd.mint, &delegate.usd, 10 * USD);
    let outcome = w.vm.send(&[deposit], &[&delegate.key]);
    ok(&w, outcome);
    let withdraw = instruction::withdraw(&w.exchange, &account, &usd.mint, &delegate.usd, USD, &[]);
    refuses(&mut w, BallastError::NotOwner, |w| {
        w.vm.send(&[withdraw], &[&delegate.key])
    });
}

#[test]
fn attack_taker_and_maker_are_one() {
    let mut w = world();
    let attacker = trader(&mut w, 50_000);
    let outcome = w.open(&attacker, 1);
    ok(&w, outcome);
    let second = AccountKeys::new(&w.exchange, &attacker.key.pubkey(), 1);
    let (exchange, market) = (w.exchange, w.markets[BTC_PERP]);
    for maker in [attacker.account, second] {
        let trade = instruction::block_trade(&exchange, &market, &attacker.account, &maker, 100, 100_000 * PRICE);
        refuses(&mut w, BallastError::SelfTrade, |w| {
            w.vm.send(&[trade], &[&attacker.key])
        });
    }
}

#[test]
fn attack_liquidator_is_the_liquidatee() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let outcome = w.open(&d.victim, 1);
    ok(&w, outcome);
    flag(&mut w, &d.victim);
    let second = AccountKeys::new(&w.exchange, &d.victim.key.pubkey(), 1);
    let (exchange, market) = (w.exchange, w.markets[BTC_PERP]);
    for liquidator in [d.victim.account, second] {
        let step = instruction::liquidate(&exchange, &market, &d.victim.account, &liquidator, 100);
        refuses(&mut w, BallastError::SelfLiquidation, |w| {
            w.vm.send(&[step], &[&d.victim.key])
        });
    }
}

/// Loses on BTC and ETH, gains on SOL; all of it can settle.
fn two_losers() -> (World, User) {
    let mut w = world();
    let (trader, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &trader, &maker, 1_000, 100_000.0);
    trade(&mut w, ETH_PERP, &trader, &maker, 1_000, 3_000.0);
    trade(&mut w, SOL_PERP, &trader, &maker, -1_000, 151.0);
    w.set_prices(&[(BTC, 99_500.0), (ETH, 2_990.0)]);
    (w, trader)
}

#[test]
fn attack_withdrawing_past_the_losers() {
    let (mut w, trader) = two_losers();
    let [btc, eth, sol] = [BTC_PERP, ETH_PERP, SOL_PERP].map(|i| w.markets[i]);
    let future = w.markets[BTC_FUTURE];
    assert_eq!(w.losers(&trader.account.margin_account), vec![btc, eth]);
    let (exchange, mint) = (w.exchange, w.usd.mint);
    let with = |markets: &[Pubkey]| instruction::withdraw(&exchange, &trader.account, &mint, &trader.usd, USD, markets);
    use BallastError::{MarketMissing, UnexpectedAccount, WrongMarket};
    let tries: [(&[Pubkey], BallastError); 9] = [
        (&[], MarketMissing),
        (&[btc], MarketMissing),
        (&[eth], MarketMissing),
        (&[eth, btc], MarketMissing),
        (&[btc, btc], MarketMissing),
        (&[sol, btc, eth], MarketMissing),
        (&[btc, exchange.board], MarketMissing),
        (&[btc, eth, eth], UnexpectedAccount),
        (&[btc, eth, sol, future], UnexpectedAccount),
    ];
    for (markets, error) in tries {
        let one = with(markets);
        refuses(&mut w, error, |w| w.vm.send(&[one], &[&trader.key]));
    }
    let mut read_only = with(&[btc, eth]);
    read_only.accounts.last_mut().expect("a market").is_writable = false;
    refuses(&mut w, WrongMarket, |w| w.vm.send(&[read_only], &[&trader.key]));
    // The market of a position that does not lose may come along in its place.
    let outcome = w.vm.send(&[with(&[btc, eth, sol])], &[&trader.key]);
    ok(&w, outcome);
}

#[test]
fn attack_settling_with_wrong_markets() {
    let (mut w, trader) = two_losers();
    let account = trader.account.margin_account;
    refuses(&mut w, BallastError::MarketMissing, |w| w.settle(&account, &[]));
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        w.settle(&account, &[BTC_PERP, BTC_PERP])
    });
    refuses(&mut w, BallastError::UnexpectedAccount, |w| {
        w.settle(&account, &[BTC_PERP, ETH_PERP, BTC_PERP])
    });
    refuses(&mut w, BallastError::PositionMissing, |w| {
        w.settle(&account, &[BTC_PERP, SOL_FUTURE])
    });
    let board = w.exchange.board;
    let settle = instruction::settle_pnl(&w.exchange, &account, &[board]);
    refuses_by_anchor(&mut w, ErrorCode::AccountDiscriminatorMismatch, |w| {
        w.vm.send(&[settle], &[])
    });
    let mut settle = instruction::settle_pnl(&w.exchange, &account, &[w.markets[BTC_PERP]]);
    settle.accounts.last_mut().expect("a market").is_writable = false;
    refuses(&mut w, BallastError::WrongMarket, |w| w.vm.send(&[settle], &[]));
    // A byte-for-byte copy of a market under another key, owned by the program: only the recorded key counts.
    let (copy, data) = (w.vm.keypair().pubkey(), w.vm.data(&w.markets[BTC_PERP]));
    w.vm.put(copy, ballast::ID, data);
    let settle = instruction::settle_pnl(&w.exchange, &account, &[copy]);
    refuses(&mut w, BallastError::WrongMarket, |w| w.vm.send(&[settle], &[]));
    // The order is free.
    let outcome = w.settle(&account, &[ETH_PERP, BTC_PERP]);
    ok(&w, outcome);
}

/// Copies owned by another program, other types, read-only and unsigned accounts in every place of what moves money.
#[test]
fn attack_fake_accounts_in_every_place() {
    let mut w = world();
    let d = distress(&mut w, 94_000.0);
    let (exchange, usd, market) = (w.exchange, w.usd, w.markets[BTC_PERP]);
    w.give(&d.keeper, &usd, 10 * USD);
    flag(&mut w, &d.victim);
    let (keeper, maker) = (&d.keeper, &d.maker);
    let trade = instruction::block_trade(&exchange, &market, &keeper.account, &maker.account, 1, 94_000 * PRICE);
    let all = [
        instruction::deposit(&exchange, &keeper.account, &usd.mint, &keeper.usd, USD),
        instruction::withdraw(&exchange, &keeper.account, &usd.mint, &keeper.usd, USD, &[]),
        trade,
        instruction::flag(&exchange, &d.victim.account.margin_account),
        instruction::liquidate(&exchange, &market, &d.victim.account, &keeper.account, 100),
        instruction::fund_insurance(&exchange, &keeper.key.pubkey(), &keeper.usd, USD),
    ];
    for one in &all {
        let keys = signers(one, &[keeper, maker]);
        checks_every_account(&mut w, one, &keys);
    }
}

#[test]
fn attack_initialising_again() {
    let mut w = world();
    let (user, _) = pair(&mut w, 50_000);
    refuses_code(&mut w, ALREADY_IN_USE, "in use", |w| w.open(&user, 0));
    let authority = w.authority.insecure_clone();
    let args = ballast::instructions::ListCollateralArgs {
        asset: ETH,
        deposit_cap: u64::MAX,
        owner_deposit_cap: u64::MAX,
    };
    for mint in [w.usd.mint, w.btc.mint] {
        let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, args.clone());
        refuses_code(&mut w, ALREADY_IN_USE, "in use", |w| w.vm.send(&[list], &[&authority]));
    }
}

#[test]
fn attack_closing_what_is_not_empty() {
    let mut w = world();
    let (trader, maker) = pair(&mut w, 50_000);
    refuses(&mut w, BallastError::AccountNotEmpty, |w| w.close(&trader, 0));
    trade(&mut w, BTC_PERP, &trader, &maker, 100, 100_000.0);
    refuses(&mut w, BallastError::AccountNotEmpty, |w| w.close(&trader, 0));
    // Without lots, the fee is still owed.
    trade(&mut w, BTC_PERP, &trader, &maker, -100, 100_000.0);
    let account = trader.account.margin_account;
    let open = w.margin_account(&account);
    assert_eq!((open.position_count, open.reserve), (1, POSITION_RESERVE.0));
    let usd = w.usd;
    withdraw_all_that_goes(&mut w, &trader, &usd);
    assert_eq!(w.margin_account(&account).cash, 0);
    let outcome = w.close(&trader, 0);
    ok(&w, outcome);
}

#[test]
fn attack_close_and_revive() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let (exchange, wallet, usd) = (w.exchange, user.key.pubkey(), w.usd);
    w.give(&user, &usd, 10 * USD);
    let close = instruction::close_margin_account(&exchange, &wallet, 0);
    let key = user.account.margin_account;
    let revive = system_instruction::transfer(&wallet, &key, 100_000_000);
    let deposit = instruction::deposit(&exchange, &user.account, &usd.mint, &user.usd, USD);
    let used = [close.clone(), revive.clone(), deposit];
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.vm.send(&used, &[&user.key])
    });
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.vm.send(&[close.clone(), revive.clone(), close.clone()], &[&user.key])
    });
    // Opened again in the same transaction it starts from nothing, and its record counts one account.
    let open = instruction::open_margin_account(&exchange, &wallet, 0, vec![]);
    let outcome = w.vm.send(&[close, revive, open], &[&user.key]);
    ok(&w, outcome);
    let account = w.margin_account(&key);
    assert_eq!((account.cash, account.reserve, account.position_count), (0, 0, 0));
    assert_eq!(
        w.read::<ballast::state::OwnerRecord>(&user.account.owner)
            .margin_accounts,
        1
    );
}

/// Events come by self-CPI; nobody else can make the program emit one.
#[test]
fn attack_forging_an_event() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let mut data = anchor_lang::event::EVENT_IX_TAG_LE.to_vec();
    data.extend([0; 64]);
    let forged = |signer: bool, key: Pubkey| Instruction {
        program_id: ballast::ID,
        accounts: vec![AccountMeta::new_readonly(key, signer)],
        data: data.clone(),
    };
    let unsigned = forged(false, event_authority());
    refuses_by_anchor(&mut w, ErrorCode::ConstraintSigner, |w| w.vm.send(&[unsigned], &[]));
    let other = forged(true, user.key.pubkey());
    refuses_by_anchor(&mut w, ErrorCode::ConstraintSeeds, |w| {
        w.vm.send(&[other], &[&user.key])
    });
}

/// Lamports sent ahead to an address that is derived keep nobody from opening an account there.
#[test]
fn attack_lamports_in_front_of_an_account() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let wallet = user.key.pubkey();
    let next = w.exchange.margin_account(&wallet, 1);
    let stranger = w.vm.keypair();
    w.vm.airdrop(&stranger.pubkey());
    let stranger_owner = w.exchange.owner_record(&stranger.pubkey());
    for lamports in [1_000_000, 500_000_000] {
        for key in [next, stranger_owner] {
            let send = system_instruction::transfer(&wallet, &key, lamports);
            let outcome = w.vm.send(&[send], &[&user.key]);
            ok(&w, outcome);
        }
    }
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    let open = instruction::open_margin_account(&w.exchange, &stranger.pubkey(), 0, vec![]);
    let outcome = w.vm.send(&[open], &[&stranger]);
    ok(&w, outcome);
}
