//! `block_trade`: what it moves and whom it refuses. Its bounds are in `trade_limits`, what margin refuses in `trade_rules`.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::events::Traded;
use ballast::state::{Market, OwnerRecord, RiskBoard};
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::world::{User, World, BTC, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    btc_trade, copy_account, edit, event, pair, second_exchange, trade, trader, BTC_FUTURE, BTC_PERP, DAY, ETH_PERP,
    PRICE, SOL_PERP,
};
use ballast_tests::{elf, ok, world};
use solana_signer::Signer;

#[test]
fn lots_quotes_and_fees_change_hands() {
    let mut w = world();
    let (taker, maker) = (trader(&mut w, 30_000), trader(&mut w, 30_000));
    let outcome = w.trade(BTC_PERP, &taker, &maker, 2_500, 100_000.0);
    let receipt = ok(&w, outcome);
    // 0.25 BTC at 100,000: 25,000. The taker's fee 0.05 % = 12.50, the maker's 0.02 % = 5.
    let (a, b) = (
        w.margin_account(&taker.account.margin_account),
        w.margin_account(&maker.account.margin_account),
    );
    let (p, q) = (a.positions[0], b.positions[0]);
    assert_eq!(
        (p.lots, p.quote, p.entry_quote),
        (2_500, -25_012_500_000, -25_012_500_000)
    );
    assert_eq!(
        (q.lots, q.quote, q.entry_quote),
        (-2_500, 24_995_000_000, 24_995_000_000)
    );
    assert_eq!(
        (p.instrument, p.asset, p.kind, p.generation, p.expiry),
        (0, BTC, 1, 1, 0)
    );
    // The first position locks two dollars; no other cash moves.
    assert_eq!((a.cash, a.reserve, a.position_count), (29_998_000_000, 2_000_000, 1));
    assert_eq!((b.cash, b.reserve, b.position_count), (29_998_000_000, 2_000_000, 1));
    let market = w.market(BTC_PERP);
    assert_eq!(
        (market.open_interest, market.positions, market.pool, market.residual),
        (2_500, 2, 0, 0)
    );
    // A fifth of 17.50 to the fund.
    assert_eq!((market.insurance_due, market.fees_due), (3_500_000, 14_000_000));
    for user in [&taker, &maker] {
        let record: Box<OwnerRecord> = w.read(&user.account.owner);
        assert_eq!(record.open_interest[0], 250_000_000); // 0.25 BTC
    }
    let expected = Traded {
        market: w.markets[BTC_PERP],
        sequence: 1,
        instrument: 0,
        taker: taker.account.margin_account,
        maker: maker.account.margin_account,
        lots: 2_500,
        price: 100_000 * PRICE,
        taker_fee: 12_500_000,
        maker_fee: 5_000_000,
    };
    assert_eq!(event::<Traded>(&receipt), expected);
}

#[test]
fn a_position_is_reduced_flipped_and_closed() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let position = |w: &World| w.margin_account(&user.account.margin_account).positions[0];
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0); // −10,000 − 5
    trade(&mut w, BTC_PERP, &user, &maker, -400, 101_000.0); // +4,040 − 2.02
                                                             // The entry of what is left is its part of what was paid: 0.6 · 10,005.
    assert_eq!((position(&w).lots, position(&w).quote), (600, -5_967_020_000));
    assert_eq!(position(&w).entry_quote, -6_003_000_000);
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 100_000.0); // +10,000 − 5
                                                               // Flipped: 400 lots of the 1,000 sold opened on the other side, 0.4 · 9,995.
    assert_eq!((position(&w).lots, position(&w).quote), (-400, 4_027_980_000));
    assert_eq!(position(&w).entry_quote, 3_998_000_000);
    assert_eq!(w.market(BTC_PERP).open_interest, 400);
    trade(&mut w, BTC_PERP, &user, &maker, 400, 100_000.0); // −4,000 − 2
                                                            // Lots are gone; the realised 25.98 stay until they settle, and with them the slot and the reserve.
    assert_eq!(
        (position(&w).lots, position(&w).quote, position(&w).entry_quote),
        (0, 25_980_000, 0)
    );
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.position_count, account.reserve), (1, 2_000_000));
    assert_eq!(w.market(BTC_PERP).open_interest, 0);
}

#[test]
fn positions_are_sorted_by_asset_and_expiry() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    for (instrument, price) in [
        (ETH_PERP, 3_000.0),
        (BTC_FUTURE, 100_000.0),
        (SOL_PERP, 150.0),
        (BTC_PERP, 100_000.0),
    ] {
        trade(&mut w, instrument, &user, &maker, 10, price);
    }
    let account = w.margin_account(&user.account.margin_account);
    let order: Vec<u16> = account.positions().iter().map(|p| p.instrument).collect();
    assert_eq!(order, [0, 1, 2, 4]);
    assert_eq!(account.positions[1].expiry, START + 60 * DAY);
}

#[test]
fn what_rounding_leaves_is_the_markets() {
    // A SOL at 0.012345 dollars: a lot of 0.01 is 123.45 quote units. Both sides pay the fraction.
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 0.012345]);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| b.instruments[SOL_PERP].tick_size = 1);
    let key = w.exchange.key;
    edit::<ballast::state::Exchange>(&mut w, &key, |e| e.limits.minimum_trade = 0);
    let (taker, maker) = pair(&mut w, 100);
    let outcome = w.trade(SOL_PERP, &taker, &maker, 1, 0.012345);
    let receipt = ok(&w, outcome);
    let quote = |user: &User| w.margin_account(&user.account.margin_account).positions[0].quote;
    // −123.45 → −124 and a fee of 0.061725 → 1; +123.45 → 123 and a fee of 0.02469 → 1.
    assert_eq!((quote(&taker), quote(&maker)), (-125, 122));
    assert_eq!(w.market(SOL_PERP).residual, 1);
    let traded = event::<Traded>(&receipt);
    assert_eq!((traded.taker_fee, traded.maker_fee), (1, 1));
}

#[test]
fn delegates_trade() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    let delegate = w.user();
    let key = taker.account.margin_account;
    edit::<ballast::state::MarginAccount>(&mut w, &key, |a| a.delegates[3] = delegate.key.pubkey());
    let account = AccountKeys {
        signer: delegate.key.pubkey(),
        ..taker.account
    };
    let trade = instruction::block_trade(
        &w.exchange,
        &w.markets[BTC_PERP],
        &account,
        &maker.account,
        1,
        100_000 * PRICE,
    );
    let outcome = w.vm.send(&[trade], &[&delegate.key, &maker.key]);
    ok(&w, outcome);
}

#[test]
fn refuses_zero_lots_and_one_wallet_on_both_sides() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    refuses(&mut w, BallastError::ZeroAmount, |w| {
        w.trade(BTC_PERP, &taker, &maker, 0, 100_000.0)
    });
    refuses(&mut w, BallastError::SelfTrade, |w| {
        w.trade(BTC_PERP, &taker, &taker, 1, 100_000.0)
    });
    let outcome = w.open(&taker, 1);
    ok(&w, outcome);
    let second = AccountKeys::new(&w.exchange, &taker.key.pubkey(), 1);
    let trade = instruction::block_trade(
        &w.exchange,
        &w.markets[BTC_PERP],
        &taker.account,
        &second,
        1,
        100_000 * PRICE,
    );
    refuses(&mut w, BallastError::SelfTrade, |w| w.vm.send(&[trade], &[&taker.key]));
}

#[test]
fn refuses_strangers_on_either_side() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    let stranger = w.user();
    let price = 100_000 * PRICE;
    let as_stranger = |account: &AccountKeys| AccountKeys {
        signer: stranger.key.pubkey(),
        ..*account
    };
    let market = w.markets[BTC_PERP];
    let trade = instruction::block_trade(
        &w.exchange,
        &market,
        &as_stranger(&taker.account),
        &maker.account,
        1,
        price,
    );
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[trade], &[&stranger.key, &maker.key])
    });
    let trade = instruction::block_trade(
        &w.exchange,
        &market,
        &taker.account,
        &as_stranger(&maker.account),
        1,
        price,
    );
    refuses(&mut w, BallastError::NotTrader, |w| {
        w.vm.send(&[trade], &[&taker.key, &stranger.key])
    });
    // The free delegate slots name the default key, which nobody may use.
    let empty = AccountKeys {
        signer: Pubkey::default(),
        ..taker.account
    };
    let mut trade = instruction::block_trade(&w.exchange, &market, &empty, &maker.account, 1, price);
    trade.accounts[5].is_signer = false;
    ballast_tests::refusal::refuses_by_anchor(&mut w, anchor_lang::error::ErrorCode::AccountNotSigner, |w| {
        w.vm.send(&[trade], &[&maker.key])
    });
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 30_000);
    let right = btc_trade(&w, &taker, &maker, 1, 100_000 * PRICE);
    let second = second_exchange(&mut w);
    let foreign = second.open(&mut w, &taker);
    let market = w.markets[BTC_PERP];
    let forged = copy_account(&mut w, &market);
    let out_of_range = copy_account(&mut w, &market);
    edit::<Market>(&mut w, &out_of_range, |m| m.instrument = 256);
    for (at, key, error) in [
        (0, second.exchange.key, BallastError::WrongBoard),
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.markets[0], BallastError::WrongExchange),
        (2, forged, BallastError::WrongMarket),
        (2, out_of_range, BallastError::InstrumentNotListed),
        (3, foreign.margin_account, BallastError::WrongExchange),
        (4, maker.account.owner, BallastError::WrongOwnerRecord),
        (4, foreign.owner, BallastError::WrongOwnerRecord),
        (6, foreign.margin_account, BallastError::WrongExchange),
        (7, taker.account.owner, BallastError::WrongOwnerRecord),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = key;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&taker.key, &maker.key]));
    }
    checks_every_account(&mut w, &right, &[&taker.key, &maker.key]);
}
