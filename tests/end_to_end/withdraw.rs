//! `withdraw`: what it pays out and settles, and whom it refuses. What margin and caps refuse is in `withdraw_limits`.
use anchor_lang::solana_program::instruction::Instruction;
use ballast::error::BallastError;
use ballast::events::{SettledPosition, Withdrawn};
use ballast::state::{Collateral, Market, OwnerRecord};
use ballast_client::instruction;
use ballast_sim::world::{token_account, User, World, BTC, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    copy_account, deposit, event, foreign_tokens, pair, second_exchange, set_frozen, trade, trader, BTC_FUTURE,
    BTC_PERP, BTC_UNIT, ETH_PERP, SOL_PERP, USD,
};
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// A withdrawal of quote that passes no markets.
fn quote_withdrawal(w: &World, user: &User, amount: u64) -> Instruction {
    instruction::withdraw(&w.exchange, &user.account, &w.usd.mint, &user.usd, amount, &[])
}

#[test]
fn cash_becomes_tokens() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 100), w.usd);
    let outcome = w.withdraw(&user, &usd, 30 * USD);
    let receipt = ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).cash, 70_000_000);
    assert_eq!((w.tokens(&user.usd), w.vault_amount(&usd.mint)), (30 * USD, 70 * USD));
    assert_eq!((w.quote_pool().supplied, w.quote_pool().borrowed), (70 * USD, 0));
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.deposits[0], 70 * USD);
    let expected = Withdrawn {
        margin_account: user.account.margin_account,
        sequence: 2,
        mint: usd.mint,
        amount: 30 * USD,
        settled: vec![],
        cash: 70_000_000,
    };
    assert_eq!(event::<Withdrawn>(&receipt), expected);
    let outcome = w.withdraw(&user, &usd, 70 * USD);
    ok(&w, outcome);
    assert_eq!(w.vault_amount(&usd.mint), 0);
}

#[test]
fn collateral_comes_back_and_frees_its_slot() {
    let mut w = world();
    let (user, btc) = (w.user(), w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let outcome = w.withdraw(&user, &btc, BTC_UNIT / 4);
    let receipt = ok(&w, outcome);
    let balance = w.margin_account(&user.account.margin_account).balances[0];
    assert_eq!((balance.collateral, balance.amount), (1, BTC_UNIT / 4 * 3));
    assert_eq!(
        (event::<Withdrawn>(&receipt).mint, event::<Withdrawn>(&receipt).cash),
        (btc.mint, 0)
    );
    let outcome = w.withdraw(&user, &btc, BTC_UNIT / 4 * 3);
    ok(&w, outcome);
    let balance = w.margin_account(&user.account.margin_account).balances[0];
    assert_eq!((balance.collateral, balance.asset, balance.amount), (0, 0, 0));
    let collateral: Box<Collateral> = w.read(&w.exchange.collateral(&btc.mint));
    assert_eq!((collateral.total_deposits, w.tokens(&user.btc)), (0, BTC_UNIT));
}

#[test]
fn goes_to_any_token_account_of_the_mint() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 100), w.user());
    let withdraw = instruction::withdraw(&w.exchange, &user.account, &w.usd.mint, &other.usd, 7, &[]);
    let outcome = w.vm.send(&[withdraw], &[&user.key]);
    ok(&w, outcome);
    assert_eq!(w.tokens(&other.usd), 7);
}

#[test]
fn losers_settle_first() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    let usd = w.usd;
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0); // 10,000 dollars, fee 5
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0); // 3,000 dollars, fee 1.50
    let outcome = w.withdraw(&user, &usd, 1_000 * USD);
    let receipt = ok(&w, outcome);
    // 10,000 − 2 reserved − 6.50 − 1,000
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.reserve), (8_991_500_000, 2_000_000));
    assert_eq!(event::<Withdrawn>(&receipt).cash, 8_991_500_000);
    // The pools held the takers' 5.00 and 1.50: first the fund's fifth of both sides' fees, of 7.00 and of 2.10, then the exchange's part.
    let settled = |instrument: usize, amount, fees, insurance| SettledPosition {
        instrument: instrument as u16,
        amount,
        fees,
        insurance,
        pool: 0,
    };
    assert_eq!(
        event::<Withdrawn>(&receipt).settled,
        [
            settled(BTC_PERP, -5_000_000, 3_600_000, 1_400_000),
            settled(ETH_PERP, -1_500_000, 1_080_000, 420_000)
        ]
    );
    // What a position has left is its value of zero: −10,000 in quote against 0.1 BTC.
    assert_eq!(
        (account.positions[0].lots, account.positions[0].quote),
        (1_000, -10_000_000_000)
    );
    assert_eq!(
        (account.positions[1].lots, account.positions[1].quote),
        (1_000, -3_000_000_000)
    );
    assert_eq!(account.positions[0].entry_quote, -10_005_000_000);
    // The fund has its fifth of both sides' fees and the exchange the rest, as far as the pools hold it: they held the taker's fees alone.
    let (btc, eth) = (w.market(BTC_PERP), w.market(ETH_PERP));
    assert_eq!(
        (w.insurance_fund().earned, w.quote_pool().collected_fees),
        (1_820_000, 4_680_000)
    );
    assert_eq!((btc.pool, btc.insurance_due, btc.fees_due), (0, 0, 2_000_000));
    assert_eq!((eth.pool, eth.insurance_due, eth.fees_due), (0, 0, 600_000));
}

#[test]
fn a_closed_losers_slot_is_freed() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    let usd = w.usd;
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0);
    trade(&mut w, SOL_PERP, &user, &maker, 1_000, 150.0);
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 100_000.0);
    trade(&mut w, SOL_PERP, &user, &maker, -1_000, 150.0);
    let outcome = w.withdraw(&user, &usd, USD);
    ok(&w, outcome);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!(
        (account.position_count, account.positions[0].instrument),
        (1, ETH_PERP as u16)
    );
    // Fees: 5 + 5 on BTC, 1.50 on ETH, 0.75 + 0.75 on SOL.
    assert_eq!(account.cash, 10_000_000_000 - 2_000_000 - 13_000_000 - 1_000_000);
}

#[test]
fn refuses_zero_and_unusable_destinations() {
    let mut w = world();
    let user = trader(&mut w, 100);
    let zero = quote_withdrawal(&w, &user, 0);
    refuses(&mut w, BallastError::ZeroAmount, |w| w.vm.send(&[zero], &[&user.key]));
    let mut wrong = quote_withdrawal(&w, &user, 1);
    wrong.accounts[9].pubkey = wrong.accounts[3].pubkey;
    refuses(&mut w, BallastError::DuplicateAccount, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    for account in [user.btc, foreign_tokens(&mut w, &user.key.pubkey(), 0)] {
        let mut wrong = quote_withdrawal(&w, &user, 1);
        wrong.accounts[9].pubkey = account;
        refuses(&mut w, BallastError::WrongMint, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    set_frozen(&mut w, &user.usd, true);
    let frozen = quote_withdrawal(&w, &user, 1);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.vm.send(&[frozen], &[&user.key])
    });
}

#[test]
fn refuses_everybody_but_the_wallet() {
    let mut w = world();
    let (user, thief) = (trader(&mut w, 100), trader(&mut w, 100));
    let wallet = user.key.pubkey();
    let mut stolen = user.account;
    stolen.signer = thief.key.pubkey();
    let withdraw = instruction::withdraw(&w.exchange, &stolen, &w.usd.mint, &thief.usd, 1, &[]);
    refuses(&mut w, BallastError::NotOwner, |w| {
        w.vm.send(&[withdraw], &[&thief.key])
    });

    // A delegate may trade and deposit; it may not withdraw.
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, vec![thief.key.pubkey()]);
    let outcome = w.vm.send(&[open], &[&user.key]);
    ok(&w, outcome);
    w.accounts.push(w.exchange.margin_account(&wallet, 1));
    let mut account = instruction::AccountKeys::new(&w.exchange, &wallet, 1);
    let usd = w.usd;
    w.give(&user, &usd, 50);
    let deposit = instruction::deposit(&w.exchange, &account, &usd.mint, &user.usd, 50);
    let outcome = w.vm.send(&[deposit], &[&user.key]);
    ok(&w, outcome);
    account.signer = thief.key.pubkey();
    let withdraw = instruction::withdraw(&w.exchange, &account, &usd.mint, &thief.usd, 1, &[]);
    refuses(&mut w, BallastError::NotOwner, |w| {
        w.vm.send(&[withdraw], &[&thief.key])
    });
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 100), trader(&mut w, 100));
    let usd = w.usd;
    let right = quote_withdrawal(&w, &user, 1);
    let second = second_exchange(&mut w).exchange;
    let mine = w.vm.keypair().pubkey();
    w.vm.put(mine, TOKEN_PROGRAM, token_account(&usd.mint, &user.key.pubkey(), 1_000));
    let collateral = second.collateral(&usd.mint);
    for (at, key, error) in [
        (0, second.key, BallastError::WrongBoard),
        (1, second.board, BallastError::WrongBoard),
        (2, collateral, BallastError::WrongExchange),
        (3, mine, BallastError::WrongVault),
        (3, w.exchange.vault(&w.btc.mint), BallastError::WrongVault),
        (3, second.vault(&usd.mint), BallastError::WrongVault),
        (4, second.quote_pool(), BallastError::WrongExchange),
        (5, second.insurance_fund(), BallastError::WrongExchange),
        (6, other.account.margin_account, BallastError::NotOwner),
        (7, other.account.owner, BallastError::WrongOwnerRecord),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = key;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&user.key]));
    }
    checks_every_account(&mut w, &right, &[&user.key]);
}

#[test]
fn refuses_an_account_of_another_exchange() {
    let mut w = world();
    let user = trader(&mut w, 100);
    let second = second_exchange(&mut w);
    let foreign = second.open(&mut w, &user);
    let mut wrong = quote_withdrawal(&w, &user, 1);
    wrong.accounts[6].pubkey = foreign.margin_account;
    wrong.accounts[7].pubkey = foreign.owner;
    refuses(&mut w, BallastError::WrongExchange, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
}

#[test]
fn wants_the_markets_of_the_losers_and_no_others() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0);
    trade(&mut w, BTC_FUTURE, &maker, &user, 1_000, 100_100.0); // the user sells above the mark: a gain of 9.998 after the maker's fee
    let (btc, future, eth) = (w.markets[BTC_PERP], w.markets[BTC_FUTURE], w.markets[ETH_PERP]);
    assert_eq!(w.losers(&user.account.margin_account), vec![btc, eth]);
    let forged = copy_account(&mut w, &btc);
    for (markets, error) in [
        (vec![], BallastError::MarketMissing),
        (vec![btc], BallastError::MarketMissing),
        (vec![eth], BallastError::MarketMissing),
        (vec![eth, btc], BallastError::MarketMissing),
        (vec![btc, btc], BallastError::MarketMissing),
        (vec![forged, eth], BallastError::MarketMissing),
        (vec![btc, eth, future], BallastError::UnexpectedAccount),
        (vec![btc, eth, eth], BallastError::UnexpectedAccount),
        (vec![btc, eth, w.markets[SOL_PERP]], BallastError::UnexpectedAccount),
    ] {
        let withdraw = instruction::withdraw(&w.exchange, &user.account, &w.usd.mint, &user.usd, 1, &markets);
        refuses(&mut w, error, |w| w.vm.send(&[withdraw], &[&user.key]));
    }
    let mut read_only = instruction::withdraw(&w.exchange, &user.account, &w.usd.mint, &user.usd, 1, &[btc, eth]);
    read_only.accounts.last_mut().expect("a market").is_writable = false;
    refuses(&mut w, BallastError::WrongMarket, |w| {
        w.vm.send(&[read_only], &[&user.key])
    });
    // The market of a position that does not lose may stand between them.
    let passed = [btc, future, eth];
    let withdraw = instruction::withdraw(&w.exchange, &user.account, &w.usd.mint, &user.usd, 1, &passed);
    let outcome = w.vm.send(&[withdraw], &[&user.key]);
    ok(&w, outcome);
    // The gain has stayed where it is.
    assert_eq!(w.margin_account(&user.account.margin_account).positions[1].lots, -1_000);
    assert_eq!(w.read::<Market>(&future).pool, 0);
}

#[test]
fn a_loser_that_can_not_settle_is_not_asked_for() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    // Index and slow price 1 % and a bit apart: the position keeps its loss, and the withdrawal rule counts it.
    w.set_prices(&[(BTC, 98_900.0)]);
    let withdraw = quote_withdrawal(&w, &user, USD);
    let outcome = w.vm.send(&[withdraw], &[&user.key]);
    ok(&w, outcome);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!(account.positions[0].quote, -10_005_000_000);
    assert_eq!(account.cash, 30_000_000_000 - 3_000_000);
}
