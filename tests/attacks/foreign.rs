//! Accounts of the right type, but of another exchange, in every place where one goes in, alone and in consistent groups.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::instructions::PreviewSection;
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::world::{User, World, BTC};
use ballast_tests::refusal::{refuses_code, refuses_somehow};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::support::distress;

/// Two exchanges with the same mints and wallets; on the first one a victim in distress, flagged.
struct Two {
    w: World,
    victim: User,
    maker: User,
    keeper: User,
    places: Vec<(&'static str, Pubkey, Pubkey)>,
}

/// What a wrong account is refused with.
type Expected = (&'static [&'static str], BallastError);

fn fund(w: &mut World, second: &Second, user: &User, keys: &AccountKeys, dollars: u64) {
    let usd = w.usd;
    w.give(user, &usd, dollars * USD);
    let deposit = instruction::deposit(&second.exchange, keys, &usd.mint, &user.usd, dollars * USD);
    let outcome = w.vm.send(&[deposit], &[&user.key]);
    ok(w, outcome);
}

/// The same wallets on the second exchange, with cash and the same trade.
fn mirror(w: &mut World, second: &Second, users: [&User; 3]) -> [AccountKeys; 3] {
    let prices = [(QUOTE_ASSET, w.price_account(QUOTE_ASSET)), (BTC, w.price_account(BTC))];
    let refresh = instruction::refresh_prices(&second.exchange, &prices);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(w, outcome);
    let keys = users.map(|user| {
        let keys = second.open(w, user);
        fund(w, second, user, &keys, 1_000_000);
        keys
    });
    let price = w.board().assets[usize::from(BTC)].price.index;
    let trade = instruction::block_trade(&second.exchange, &second.markets[0], &keys[0], &keys[1], 10_000, price);
    let outcome = w.vm.send(&[trade], &[&users[0].key, &users[1].key]);
    ok(w, outcome);
    keys
}

fn two() -> Two {
    let mut w = world();
    let second = second_exchange(&mut w);
    let d = distress(&mut w, 94_000.0);
    let [victim, maker, keeper] = mirror(&mut w, &second, [&d.victim, &d.maker, &d.keeper]);
    let outcome = w.flag(&d.victim.account.margin_account);
    ok(&w, outcome);
    w.vm.advance(1);
    let (home, away) = (w.exchange, second.exchange);
    let usd = w.usd.mint;
    let places = vec![
        ("exchange", home.key, away.key),
        ("board", home.board, away.board),
        ("collateral", home.collateral(&usd), away.collateral(&usd)),
        ("vault", home.vault(&usd), away.vault(&usd)),
        ("quote_pool", home.quote_pool(), away.quote_pool()),
        ("insurance_fund", home.insurance_fund(), away.insurance_fund()),
        ("market", w.markets[BTC_PERP], second.markets[0]),
        ("victim", d.victim.account.margin_account, victim.margin_account),
        ("victim_owner", d.victim.account.owner, victim.owner),
        ("maker", d.maker.account.margin_account, maker.margin_account),
        ("maker_owner", d.maker.account.owner, maker.owner),
        ("keeper", d.keeper.account.margin_account, keeper.margin_account),
        ("keeper_owner", d.keeper.account.owner, keeper.owner),
    ];
    Two {
        w,
        victim: d.victim,
        maker: d.maker,
        keeper: d.keeper,
        places,
    }
}

impl Two {
    /// The instruction with the named accounts taken from the second exchange, or nothing when it takes none of them.
    fn swap(&self, instruction: &Instruction, names: &[&str]) -> Instruction {
        let mut swapped = instruction.clone();
        for name in names {
            let (_, home, away) = self.places.iter().find(|p| p.0 == *name).expect("a known place");
            let mut found = false;
            for meta in swapped.accounts.iter_mut().filter(|m| m.pubkey == *home) {
                meta.pubkey = *away;
                found = true;
            }
            assert!(found, "the instruction takes no {name}");
        }
        swapped
    }

    /// Refuses each of the swaps by name and every single one that is not named; then the instruction itself goes through.
    #[track_caller]
    fn every_place(&mut self, instruction: &Instruction, signers: &[&Keypair], expected: &[Expected]) {
        for (names, error) in expected {
            let swapped = self.swap(instruction, names);
            let name = format!("{names:?}: {error:?}");
            refuses_code(&mut self.w, u32::from(*error), &name, |w| {
                w.vm.send(&[swapped], signers)
            });
        }
        for (name, home, _) in self.places.clone() {
            if instruction.accounts.iter().any(|m| m.pubkey == home) {
                assert!(
                    expected.iter().any(|(names, _)| *names == [name]),
                    "{name} is not tried"
                );
            }
        }
        let outcome = self.w.vm.send(std::slice::from_ref(instruction), signers);
        ok(&self.w, outcome);
    }
}

use BallastError::{WrongBoard, WrongExchange, WrongMarket, WrongOwnerRecord, WrongVault};

#[test]
fn attack_deposit_with_accounts_of_another_exchange() {
    let mut t = two();
    let usd = t.w.usd;
    t.w.give(&t.victim, &usd, 5 * USD);
    let deposit = instruction::deposit(&t.w.exchange, &t.victim.account, &usd.mint, &t.victim.usd, 5 * USD);
    let signer = t.victim.key.insecure_clone();
    t.every_place(
        &deposit,
        &[&signer],
        &[
            (&["collateral"], WrongVault),
            (&["vault"], WrongVault),
            (&["quote_pool"], WrongExchange),
            (&["victim"], WrongOwnerRecord),
            (&["victim_owner"], WrongOwnerRecord),
            (&["collateral", "vault"], WrongExchange),
            (&["collateral", "vault", "quote_pool"], WrongExchange),
            (&["victim", "victim_owner"], WrongExchange),
            (&["victim", "victim_owner", "quote_pool"], WrongExchange),
        ],
    );
}

#[test]
fn attack_withdraw_with_accounts_of_another_exchange() {
    let mut t = two();
    let usd = t.w.usd.mint;
    let withdraw = instruction::withdraw(&t.w.exchange, &t.keeper.account, &usd, &t.keeper.usd, USD, &[]);
    let signer = t.keeper.key.insecure_clone();
    t.every_place(
        &withdraw,
        &[&signer],
        &[
            (&["exchange"], WrongBoard),
            (&["board"], WrongBoard),
            (&["collateral"], WrongExchange),
            (&["vault"], WrongVault),
            (&["quote_pool"], WrongExchange),
            (&["insurance_fund"], WrongExchange),
            (&["keeper"], WrongExchange),
            (&["keeper_owner"], WrongOwnerRecord),
            (&["exchange", "board"], WrongExchange),
            (&["collateral", "vault"], WrongExchange),
            (&["keeper", "keeper_owner"], WrongExchange),
            // The rich account of the second exchange on the first one's vault, with all that names its exchange.
            (
                &[
                    "exchange",
                    "board",
                    "quote_pool",
                    "insurance_fund",
                    "keeper",
                    "keeper_owner",
                ],
                WrongExchange,
            ),
            (
                &["keeper", "keeper_owner", "quote_pool", "insurance_fund"],
                WrongExchange,
            ),
        ],
    );
}

#[test]
fn attack_block_trade_with_accounts_of_another_exchange() {
    let mut t = two();
    let trade = instruction::block_trade(
        &t.w.exchange,
        &t.w.markets[BTC_PERP],
        &t.keeper.account,
        &t.maker.account,
        1,
        94_000 * PRICE,
    );
    let (taker, maker) = (t.keeper.key.insecure_clone(), t.maker.key.insecure_clone());
    t.every_place(
        &trade,
        &[&taker, &maker],
        &[
            (&["exchange"], WrongBoard),
            (&["board"], WrongBoard),
            (&["market"], WrongExchange),
            (&["keeper"], WrongExchange),
            (&["keeper_owner"], WrongOwnerRecord),
            (&["maker"], WrongExchange),
            (&["maker_owner"], WrongOwnerRecord),
            (&["exchange", "board"], WrongExchange),
            (&["exchange", "board", "market"], WrongExchange),
            (&["keeper", "keeper_owner"], WrongExchange),
            (&["maker", "maker_owner"], WrongExchange),
            (&["keeper", "keeper_owner", "maker", "maker_owner"], WrongExchange),
            (
                &["market", "keeper", "keeper_owner", "maker", "maker_owner"],
                WrongExchange,
            ),
        ],
    );
}

#[test]
fn attack_settle_pnl_with_accounts_of_another_exchange() {
    let mut t = two();
    // 94,000 against a slow price of 100,000 does not settle; back at the old price the fee does.
    t.w.set_prices(&[(BTC, 100_000.0)]);
    let settle = instruction::settle_pnl(
        &t.w.exchange,
        &t.victim.account.margin_account,
        &[t.w.markets[BTC_PERP]],
    );
    t.every_place(
        &settle,
        &[],
        &[
            (&["exchange"], WrongBoard),
            (&["board"], WrongBoard),
            (&["quote_pool"], WrongExchange),
            (&["insurance_fund"], WrongExchange),
            (&["victim"], WrongExchange),
            (&["market"], WrongMarket),
            (&["exchange", "board"], WrongExchange),
            (&["exchange", "board", "quote_pool", "insurance_fund"], WrongExchange),
            (
                &["exchange", "board", "quote_pool", "insurance_fund", "victim"],
                WrongMarket,
            ),
            (&["quote_pool", "insurance_fund", "market"], WrongExchange),
        ],
    );
}

#[test]
fn attack_flags_with_accounts_of_another_exchange() {
    let mut t = two();
    let victim = t.victim.account.margin_account;
    let expected: &[Expected] = &[
        (&["exchange"], WrongBoard),
        (&["board"], WrongBoard),
        (&["victim"], WrongExchange),
        (&["exchange", "board"], WrongExchange),
    ];
    let flag = instruction::flag(&t.w.exchange, &victim);
    t.every_place(&flag, &[], expected);
    t.w.set_prices(&[(BTC, 100_000.0)]);
    let unflag = instruction::unflag(&t.w.exchange, &victim);
    t.every_place(&unflag, &[], expected);
}

#[test]
fn attack_liquidate_with_accounts_of_another_exchange() {
    let mut t = two();
    let step = instruction::liquidate(
        &t.w.exchange,
        &t.w.markets[BTC_PERP],
        &t.victim.account,
        &t.keeper.account,
        100,
    );
    let keeper = t.keeper.key.insecure_clone();
    t.every_place(
        &step,
        &[&keeper],
        &[
            (&["exchange"], WrongBoard),
            (&["board"], WrongBoard),
            (&["market"], WrongExchange),
            (&["quote_pool"], WrongExchange),
            (&["insurance_fund"], WrongExchange),
            (&["victim"], WrongExchange),
            (&["victim_owner"], WrongOwnerRecord),
            (&["keeper"], WrongExchange),
            (&["keeper_owner"], WrongOwnerRecord),
            (&["exchange", "board"], WrongExchange),
            (&["quote_pool", "insurance_fund"], WrongExchange),
            (&["victim", "victim_owner"], WrongExchange),
            (&["keeper", "keeper_owner"], WrongExchange),
            (
                &["exchange", "board", "market", "quote_pool", "insurance_fund"],
                WrongExchange,
            ),
            (
                &[
                    "exchange",
                    "board",
                    "market",
                    "quote_pool",
                    "insurance_fund",
                    "keeper",
                    "keeper_owner",
                ],
                WrongExchange,
            ),
        ],
    );
}

#[test]
fn attack_fund_insurance_with_accounts_of_another_exchange() {
    let mut t = two();
    let usd = t.w.usd;
    t.w.give(&t.keeper, &usd, 5 * USD);
    let key = t.keeper.key.insecure_clone();
    let fund = instruction::fund_insurance(&t.w.exchange, &key.pubkey(), &t.keeper.usd, 5 * USD);
    t.every_place(
        &fund,
        &[&key],
        &[
            (&["collateral"], WrongVault),
            (&["vault"], WrongVault),
            (&["insurance_fund"], WrongExchange),
            (&["collateral", "vault"], WrongExchange),
        ],
    );
}

#[test]
fn attack_preview_and_close_with_accounts_of_another_exchange() {
    let mut t = two();
    let victim = t.victim.account.margin_account;
    let preview = instruction::preview(&t.w.exchange, &victim, PreviewSection::Summary);
    t.every_place(
        &preview,
        &[],
        &[
            (&["exchange"], WrongBoard),
            (&["board"], WrongBoard),
            (&["victim"], WrongExchange),
            (&["exchange", "board"], WrongExchange),
        ],
    );
    let key = t.keeper.key.insecure_clone();
    let usd = t.w.usd;
    let all = t.w.margin_account(&t.keeper.account.margin_account).cash as u64;
    let outcome = t.w.withdraw(&t.keeper, &usd, all);
    ok(&t.w, outcome);
    let close = instruction::close_margin_account(&t.w.exchange, &key.pubkey(), 0);
    for names in [&["keeper"], &["keeper_owner"]] {
        let swapped = t.swap(&close, names);
        refuses_code(&mut t.w, u32::from(WrongOwnerRecord), "another record", |w| {
            w.vm.send(&[swapped], &[&key])
        });
    }
    // The rich account of the second exchange is not empty.
    let swapped = t.swap(&close, &["keeper", "keeper_owner"]);
    refuses_code(&mut t.w, u32::from(BallastError::AccountNotEmpty), "not empty", |w| {
        w.vm.send(&[swapped], &[&key])
    });
}

/// A founder lists on his own exchange, with the markets and boards of somebody else's.
#[test]
fn attack_listing_on_another_exchange() {
    let mut t = two();
    let founder = t.w.authority.insecure_clone();
    let key = founder.pubkey();
    let config = &ballast_migrations::config::assets(t.w.vm.now())[0];
    let list = instruction::list_asset(&t.w.exchange, &key, config.asset.clone());
    for names in [&["exchange"], &["board"]] {
        let swapped = t.swap(&list, names);
        refuses_code(&mut t.w, u32::from(WrongBoard), "board", |w| {
            w.vm.send(&[swapped], &[&founder])
        });
    }
    let args = config.instruments[0].clone();
    let market = t.w.markets[BTC_PERP];
    let taken = instruction::list_instrument(&t.w.exchange, &key, &market, args.clone());
    let zero = u32::from(ErrorCode::ConstraintZero);
    refuses_code(&mut t.w, zero, "a market in use", |w| w.vm.send(&[taken], &[&founder]));
    // A wallet that is nobody's authority.
    let stranger = t.keeper.key.insecure_clone();
    let list = instruction::list_asset(&t.w.exchange, &stranger.pubkey(), config.asset.clone());
    let not_authority = u32::from(BallastError::NotAuthority);
    refuses_code(&mut t.w, not_authority, "authority", |w| {
        w.vm.send(&[list], &[&stranger])
    });
}

/// A board that serves one exchange is not taken over by the next one.
#[test]
fn attack_founding_an_exchange_on_somebodys_board() {
    let mut t = two();
    let founder = t.keeper.key.insecure_clone();
    let mut away = t.w.exchange;
    away.key = ballast_client::address::Exchange::new(99, away.board, away.quote_mint).key;
    let args = ballast::instructions::CreateExchangeArgs {
        id: 99,
        fees: ballast_migrations::config::FEES,
        limits: ballast_migrations::config::LIMITS,
        auction: ballast_migrations::config::AUCTION,
        quote_feed: ballast_migrations::config::feed([1; 32]),
        quote_deposit_cap: 1,
        quote_owner_deposit_cap: 1,
        level_weights: [1_000_000_000, 0, 0, 0],
        maintenance_factor: 700_000_000,
    };
    let create = instruction::create_exchange(&away, &founder.pubkey(), args);
    let zero = u32::from(ErrorCode::ConstraintZero);
    refuses_code(&mut t.w, zero, "a board in use", |w| w.vm.send(&[create], &[&founder]));
    // The same exchange again, with a fresh board.
    let again = ballast_client::address::Exchange::new(1, t.w.vm.keypair().pubkey(), t.w.usd.mint);
    let args = ballast::instructions::CreateExchangeArgs {
        id: 1,
        fees: ballast_migrations::config::FEES,
        limits: ballast_migrations::config::LIMITS,
        auction: ballast_migrations::config::AUCTION,
        quote_feed: ballast_migrations::config::feed([1; 32]),
        quote_deposit_cap: 1,
        quote_owner_deposit_cap: 1,
        level_weights: [1_000_000_000, 0, 0, 0],
        maintenance_factor: 700_000_000,
    };
    let create = instruction::create_exchange(&again, &founder.pubkey(), args);
    refuses_somehow(&mut t.w, |w| w.vm.send(&[create], &[&founder]));
}
