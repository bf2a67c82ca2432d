//! `create_exchange`: the exchange with its board, quote asset and fund, and the bounds of its parameters.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::instructions::CreateExchangeArgs;
use ballast::oracle::PriceSourceKind;
use ballast::state::{
    self, Collateral, FeeSchedule, FeeTier, InsuranceFund, QuotePool, RiskBoard, DISCRIMINATOR, QUOTE_ASSET,
};
use ballast_client::{instruction, Exchange};
use ballast_migrations::config::{feed, feeds, AUCTION, FEES, LIMITS};
use ballast_risk::PortfolioParams;
use ballast_sim::world::{mint_account, Outcome, World, TOKEN_PROGRAM};
use ballast_tests::refusal::{refuses, refuses_by_anchor, refuses_code, ALREADY_IN_USE};
use ballast_tests::setup::allocate;
use ballast_tests::{ok, world};
use solana_signer::Signer;

const BOARD: usize = DISCRIMINATOR + size_of::<RiskBoard>();

fn args() -> CreateExchangeArgs {
    CreateExchangeArgs {
        id: 9,
        fees: FEES,
        limits: LIMITS,
        auction: AUCTION,
        quote_feed: feed(feeds::USDC),
        quote_deposit_cap: 1_000,
        quote_owner_deposit_cap: 100,
        level_weights: PortfolioParams::DEFAULT.level_weights.map(|w| w.0),
        maintenance_factor: 700_000_000,
    }
}

/// A world with a board account of `len` bytes for exchange 9.
fn prepared(len: usize) -> (World, Exchange) {
    let mut w = world();
    let (authority, board) = (w.authority.insecure_clone(), w.vm.keypair());
    let allocate = allocate(&w, &board.pubkey(), len);
    let outcome = w.vm.send(&[allocate], &[&authority, &board]);
    ok(&w, outcome);
    let exchange = Exchange::new(9, board.pubkey(), w.usd.mint);
    (w, exchange)
}

fn create(w: &mut World, exchange: &Exchange, args: CreateExchangeArgs) -> Outcome {
    let authority = w.authority.insecure_clone();
    let create = instruction::create_exchange(exchange, &authority.pubkey(), args);
    w.vm.send(&[create], &[&authority])
}

#[test]
fn everything_is_written_once() {
    let (mut w, exchange) = prepared(BOARD);
    let outcome = create(&mut w, &exchange, args());
    ok(&w, outcome);
    let authority = w.authority.pubkey();
    let e: Box<state::Exchange> = w.read(&exchange.key);
    assert_eq!((e.version, e.id, e.collateral_count, e.instrument_count), (1, 9, 1, 0));
    assert_eq!(
        (e.authority, e.board, e.quote_mint),
        (authority, exchange.board, w.usd.mint)
    );
    assert_eq!((e.fees, e.limits, e.auction), (FEES, LIMITS, AUCTION));
    assert!(e.markets.iter().all(|m| *m == Pubkey::default()));
    let b: Box<RiskBoard> = w.read(&exchange.board);
    assert_eq!((b.version, b.asset_count, b.exchange), (1, 0, exchange.key));
    assert_eq!(
        (b.quote_sources.sources[0].id, b.quote.index, b.quote.max_age_seconds),
        (feeds::USDC, 0, 60)
    );
    assert_eq!(b.level_weights, [500_000_000, 250_000_000, 250_000_000, 0]);
    assert_eq!((b.maintenance_factor, b.shock_floor), (700_000_000, 950_000_000));
    assert_eq!((b.net_option_value, b.vega_offset), (50_000_000, 250_000_000));
    let quote: Box<Collateral> = w.read(&exchange.collateral(&w.usd.mint));
    assert_eq!(
        (quote.version, quote.index, quote.asset, quote.decimals),
        (1, 0, QUOTE_ASSET, 6)
    );
    assert_eq!((quote.exchange, quote.mint), (exchange.key, w.usd.mint));
    assert_eq!(quote.vault, exchange.vault(&w.usd.mint));
    assert_eq!(
        (quote.deposit_cap, quote.owner_deposit_cap, quote.total_deposits),
        (1_000, 100, 0)
    );
    let pool: Box<QuotePool> = w.read(&exchange.quote_pool());
    assert_eq!(
        (pool.version, pool.exchange, pool.supplied, pool.borrowed),
        (1, exchange.key, 0, 0)
    );
    let fund: Box<InsuranceFund> = w.read(&exchange.insurance_fund());
    assert_eq!((fund.version, fund.exchange, fund.balance), (1, exchange.key, 0));
    // The vault holds the mint and is the exchange's own: bytes 0 to 64 of a token account.
    let vault = w.vm.data(&quote.vault);
    assert_eq!(
        (&vault[..32], &vault[32..64]),
        (w.usd.mint.as_ref(), exchange.key.as_ref())
    );
}

#[test]
fn refuses_to_create_an_exchange_twice() {
    let (mut w, exchange) = prepared(BOARD);
    let outcome = create(&mut w, &exchange, args());
    ok(&w, outcome);
    // With its own board, which is not zero any more, and with a fresh one.
    let second = w.vm.keypair();
    let (authority, allocate) = (w.authority.insecure_clone(), allocate(&w, &second.pubkey(), BOARD));
    let outcome = w.vm.send(&[allocate], &[&authority, &second]);
    ok(&w, outcome);
    let again = Exchange::new(9, second.pubkey(), w.usd.mint);
    refuses_code(&mut w, ALREADY_IN_USE, "an exchange that exists", |w| {
        create(w, &again, args())
    });
    let taken = Exchange::new(10, exchange.board, w.usd.mint);
    refuses_by_anchor(&mut w, ErrorCode::ConstraintZero, |w| {
        create(w, &taken, CreateExchangeArgs { id: 10, ..args() })
    });
}

#[test]
fn refuses_boards_of_another_size() {
    for len in [BOARD - 1, BOARD + 1, DISCRIMINATOR] {
        let (mut w, exchange) = prepared(len);
        refuses(&mut w, BallastError::AccountTooSmall, |w| create(w, &exchange, args()));
    }
}

#[test]
fn refuses_boards_of_another_owner() {
    let mut w = world();
    let board = w.vm.keypair().pubkey();
    w.vm.put(board, TOKEN_PROGRAM, vec![0; BOARD]);
    let exchange = Exchange::new(9, board, w.usd.mint);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        create(w, &exchange, args())
    });
}

#[test]
fn refuses_quote_mints_without_six_decimals() {
    for decimals in [5, 7, 0, 9] {
        let (mut w, exchange) = prepared(BOARD);
        let mint = w.vm.keypair().pubkey();
        w.vm.put(mint, TOKEN_PROGRAM, mint_account(decimals));
        let exchange = Exchange::new(9, exchange.board, mint);
        refuses(&mut w, BallastError::UnsupportedDecimals, |w| {
            create(w, &exchange, args())
        });
    }
}

#[test]
fn refuses_parameters_outside_their_bounds() {
    type Change = fn(&mut CreateExchangeArgs);
    let bad: [Change; 43] = [
        |a| a.fees.taker_ppm = 10_001,
        |a| a.fees.maker_ppm = 10_001,
        |a| a.fees.maker_ppm = -10_001,
        |a| a.fees.insurance_share_ppm = 1_000_001,
        |a| a.fees.referrer_share_ppm = 1_000_001,
        // Tiers that do not ascend, a fee that rises, a tier behind an unused one.
        |a| a.fees.tiers[1].min_volume = a.fees.tiers[0].min_volume,
        |a| a.fees.tiers[0].min_volume = 0,
        |a| a.fees.tiers[2].taker_ppm = 351,
        |a| a.fees.tiers[2].maker_ppm = 101,
        |a| a.fees.tiers[1] = FeeTier::default(),
        // The last tier's taker pays 250: of 200 and the fund's fifth off there are 160 left, which are 64 % of 250.
        |a| a.fees.referrer_share_ppm = 640_001,
        |a| a.limits.price_band_ppm = 0,
        |a| a.limits.price_band_ppm = 100_001,
        |a| a.limits.max_utilisation_ppm = 950_001,
        |a| a.limits.account_borrow_cap = a.limits.total_borrow_cap + 1,
        |a| a.limits.total_borrow_cap = i64::MAX as u64 / 4 + 1,
        |a| a.limits.minimum_trade = 1_000_000_001,
        |a| a.auction.start_cost_ppm = a.auction.end_cost_ppm + 1,
        |a| a.auction.end_cost_ppm = 900_001,
        |a| a.auction.ramp_seconds = 0,
        |a| a.auction.ramp_seconds = 3_601,
        |a| a.auction.liquidator_share_ppm = 1_000_001,
        |a| a.auction.flag_timeout_seconds = 9,
        |a| a.auction.flag_timeout_seconds = 3_601,
        |a| a.auction.uncapped_after_seconds = 29,
        |a| a.auction.uncapped_after_seconds = 86_401,
        |a| a.auction.step_window_seconds = 0,
        |a| a.auction.step_cap_ppm = 0,
        |a| a.auction.step_cap_ppm = 1_000_001,
        |a| a.auction.step_cap_dollars = 0,
        |a| a.auction.dust_dollars = -1,
        |a| a.quote_feed.sources[0].id = [0; 32],
        |a| a.quote_feed.limits.max_age_seconds = 0,
        |a| a.quote_feed.limits.max_age_seconds = 3_601,
        |a| a.quote_feed.sources[0].max_confidence_ppm = 0,
        |a| a.quote_feed.sources[0].kind = PriceSourceKind::StakePool,
        |a| a.quote_feed.limits.slow_seconds = 15,
        |a| a.quote_deposit_cap = 20_000_000_000_000_001,
        |a| a.quote_owner_deposit_cap = a.quote_deposit_cap + 1,
        |a| a.level_weights[0] -= 1,
        |a| a.level_weights = [1_000_000_001, -1, 0, 0],
        |a| a.maintenance_factor = 1_000_000_001,
        |a| a.maintenance_factor = -1,
    ];
    let (mut w, exchange) = prepared(BOARD);
    for change in bad {
        let mut args = args();
        change(&mut args);
        refuses(&mut w, BallastError::InvalidParameter, |w| create(w, &exchange, args));
    }
}

#[test]
fn accepts_parameters_on_their_bounds() {
    let (mut w, exchange) = prepared(BOARD);
    let mut args = args();
    args.fees = FeeSchedule {
        taker_ppm: 10_000,
        maker_ppm: 10_000,
        insurance_share_ppm: 1_000_000,
        ..FeeSchedule::default()
    };
    (args.limits.price_band_ppm, args.limits.max_utilisation_ppm) = (100_000, 950_000);
    args.limits.account_borrow_cap = args.limits.total_borrow_cap;
    args.limits.minimum_trade = 1_000_000_000;
    (args.auction.start_cost_ppm, args.auction.end_cost_ppm) = (900_000, 900_000);
    (args.auction.ramp_seconds, args.auction.flag_timeout_seconds) = (3_600, 3_600);
    (args.auction.uncapped_after_seconds, args.auction.step_window_seconds) = (86_400, 3_600);
    (args.auction.liquidator_share_ppm, args.auction.step_cap_ppm) = (1_000_000, 1_000_000);
    args.quote_deposit_cap = 20_000_000_000_000_000;
    args.quote_owner_deposit_cap = args.quote_deposit_cap;
    (
        args.quote_feed.limits.max_age_seconds,
        args.quote_feed.limits.slow_seconds,
    ) = (3_600, 86_400);
    args.level_weights = [0, 0, 0, 1_000_000_000];
    args.maintenance_factor = 1_000_000_000;
    let outcome = create(&mut w, &exchange, args);
    ok(&w, outcome);
}

/// A rebate as high as the lowest fee, and a referrer's share of all that the fund leaves.
#[test]
fn accepts_fees_that_leave_the_exchange_nothing() {
    for (maker_ppm, insurance_share_ppm, referrer_share_ppm) in [(-10_000, 1_000_000, 0), (-50, 200_000, 796_000)] {
        let (mut w, exchange) = prepared(BOARD);
        let mut args = args();
        args.fees = FeeSchedule {
            taker_ppm: 10_000,
            maker_ppm,
            insurance_share_ppm,
            referrer_share_ppm,
            ..FeeSchedule::default()
        };
        let outcome = create(&mut w, &exchange, args.clone());
        ok(&w, outcome);
        let (mut w, exchange) = prepared(BOARD);
        args.fees.referrer_share_ppm += 1;
        refuses(&mut w, BallastError::InvalidParameter, |w| create(w, &exchange, args));
    }
}

#[test]
fn refuses_wrong_addresses_programs_and_a_missing_signature() {
    let (mut w, exchange) = prepared(BOARD);
    let authority = w.authority.insecure_clone();
    let right = instruction::create_exchange(&exchange, &authority.pubkey(), args());
    let stranger = w.vm.keypair().pubkey();
    for at in [0, 3, 4, 5, 6] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = stranger;
        refuses_by_anchor(&mut w, ErrorCode::ConstraintSeeds, |w| {
            w.vm.send(&[wrong], &[&authority])
        });
    }
    for at in [8, 9] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = ballast::ID;
        refuses_by_anchor(&mut w, ErrorCode::InvalidProgramId, |w| {
            w.vm.send(&[wrong], &[&authority])
        });
    }
    let mut no_mint = right.clone();
    no_mint.accounts[2].pubkey = w.exchange.board;
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.vm.send(&[no_mint], &[&authority])
    });
    let mut unsigned = right.clone();
    unsigned.accounts[7].is_signer = false;
    refuses_by_anchor(&mut w, ErrorCode::AccountNotSigner, |w| w.vm.send(&[unsigned], &[]));
}
