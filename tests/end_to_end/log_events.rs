//! Events that are emitted as log data: governance and prices. The logs hold what happened, field by field.
use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::events::*;
use ballast::instructions::{CreateExchangeArgs, ListCollateralArgs, ListInstrumentArgs, SurfaceUpdate};
use ballast::state::{InstrumentKind, Market, RiskBoard, VolatilitySurface, DISCRIMINATOR, QUOTE_ASSET};
use ballast_client::{instruction, Exchange};
use ballast_migrations::config::{self, feed, feeds, AUCTION, FEES, LIMITS};
use ballast_risk::{defaults, PortfolioParams};
use ballast_sim::vm::Receipt;
use ballast_sim::world::{mint_account, BTC, ETH, START, TOKEN_PROGRAM};
use ballast_tests::setup::{allocate, flat, list_future, publish, DAY, PRICE};
use ballast_tests::{ok, world};
use solana_signer::Signer;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes of padded base64 (RFC 4648 section 4).
pub(crate) fn base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|a| *a == symbol).expect("a base64 symbol");
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

/// The events in the log, all of which must be of this type; none may have been emitted by self-CPI.
#[track_caller]
pub(crate) fn logged<E: AnchorDeserialize + Discriminator>(receipt: &Receipt) -> Vec<E> {
    assert!(receipt.events.is_empty());
    let lines = receipt.logs.iter().filter_map(|l| l.strip_prefix("Program data: "));
    lines
        .map(|line| {
            let bytes = base64(line);
            let body = bytes.strip_prefix(E::DISCRIMINATOR).expect("an event of this type");
            E::try_from_slice(body).expect("the event's layout and nothing behind it")
        })
        .collect()
}

/// The test vectors of RFC 4648 section 10.
#[test]
fn the_decoder_knows_the_published_vectors() {
    for (text, bytes) in [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYg==", "foob"),
        ("Zm9vYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ] {
        assert_eq!(base64(text), bytes.as_bytes());
    }
}

#[test]
fn an_exchange_is_created() {
    let mut w = world();
    let (authority, board) = (w.authority.insecure_clone(), w.vm.keypair());
    let exchange = Exchange::new(9, board.pubkey(), w.usd.mint);
    let args = CreateExchangeArgs {
        id: 9,
        fees: FEES,
        limits: LIMITS,
        auction: AUCTION,
        quote_feed: feed(feeds::USDC),
        quote_deposit_cap: 1_000,
        quote_owner_deposit_cap: 100,
        level_weights: PortfolioParams::DEFAULT.level_weights.map(|w| w.0),
        maintenance_factor: 700_000_000,
    };
    let allocate = allocate(&w, &board.pubkey(), DISCRIMINATOR + size_of::<RiskBoard>());
    let create = instruction::create_exchange(&exchange, &authority.pubkey(), args);
    let outcome = w.vm.send(&[allocate, create], &[&authority, &board]);
    let receipt = ok(&w, outcome);
    let created = ExchangeCreated {
        exchange: exchange.key,
        authority: authority.pubkey(),
        board: board.pubkey(),
        quote_mint: w.usd.mint,
    };
    assert_eq!(logged::<ExchangeCreated>(&receipt), [created]);
}

#[test]
fn an_asset_is_listed() {
    let mut w = world();
    let authority = w.authority.insecure_clone();
    let args = config::asset("MID", [9; 32], &defaults::MID_CAP, 1, 1, START + DAY).asset;
    let list = instruction::list_asset(&w.exchange, &authority.pubkey(), args);
    let outcome = w.vm.send(&[list], &[&authority]);
    let receipt = ok(&w, outcome);
    let listed = AssetListed {
        exchange: w.exchange.key,
        asset: 3,
        feed_id: [9; 32],
    };
    assert_eq!(logged::<AssetListed>(&receipt), [listed]);
}

#[test]
fn a_collateral_is_listed() {
    let mut w = world();
    let (authority, mint) = (w.authority.insecure_clone(), w.vm.keypair().pubkey());
    w.vm.put(mint, TOKEN_PROGRAM, mint_account(8));
    let args = ListCollateralArgs {
        asset: ETH,
        deposit_cap: 1_000,
        owner_deposit_cap: 100,
    };
    let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, args);
    let outcome = w.vm.send(&[list], &[&authority]);
    let receipt = ok(&w, outcome);
    let listed = CollateralListed {
        exchange: w.exchange.key,
        mint,
        index: 3, // behind quote, BTC and SOL
        asset: ETH,
    };
    assert_eq!(logged::<CollateralListed>(&receipt), [listed]);
}

#[test]
fn an_instrument_is_listed() {
    let mut w = world();
    let (authority, market) = (w.authority.insecure_clone(), w.vm.keypair());
    let args = ListInstrumentArgs {
        kind: InstrumentKind::Put,
        asset: ETH,
        lot_size: 1_000_000,
        tick_size: 10_000_000,
        expiry: START + 90 * DAY,
        basis: 0,
        strike: 3_000 * PRICE,
        ..config::book(InstrumentKind::Put)
    };
    let allocate = allocate(&w, &market.pubkey(), Market::size(args.book_capacity));
    let list = instruction::list_instrument(&w.exchange, &authority.pubkey(), &market.pubkey(), args);
    let outcome = w.vm.send(&[allocate, list], &[&authority, &market]);
    let receipt = ok(&w, outcome);
    let listed = InstrumentListed {
        exchange: w.exchange.key,
        instrument: 6,
        asset: ETH,
        market: market.pubkey(),
        kind: 4,
        expiry: START + 90 * DAY,
        strike: 3_000 * PRICE,
        generation: 1,
    };
    assert_eq!(logged::<InstrumentListed>(&receipt), [listed]);
}

#[test]
fn prices_are_refreshed() {
    let mut w = world();
    w.vm.advance(10);
    w.post_price(BTC, 101_000.0);
    w.post_price(QUOTE_ASSET, 0.999);
    let outcome = w.refresh(&[BTC, QUOTE_ASSET]);
    let receipt = ok(&w, outcome);
    // The slow price follows the index that stood until now, which was itself.
    let btc = PriceRefreshed {
        asset: BTC,
        index: 101_000 * PRICE,
        confidence: 0,
        slow: 100_000 * PRICE,
        publish_time: START + 11, // the world's own first prices took a second
    };
    let quote = PriceRefreshed {
        asset: QUOTE_ASSET,
        index: 999_000_000,
        confidence: 0,
        slow: PRICE,
        publish_time: START + 11,
    };
    assert_eq!(logged::<PriceRefreshed>(&receipt), [btc, quote]);
}

#[test]
fn a_volatility_publisher_is_set() {
    let mut w = world();
    let (authority, publisher) = (w.authority.insecure_clone(), w.vm.keypair().pubkey());
    let name = instruction::set_volatility_publisher(&w.exchange, &authority.pubkey(), publisher);
    let outcome = w.vm.send(&[name], &[&authority]);
    let receipt = ok(&w, outcome);
    let set = VolatilityPublisherSet {
        exchange: w.exchange.key,
        publisher,
    };
    assert_eq!(logged::<VolatilityPublisherSet>(&receipt), [set]);
}

#[test]
fn surfaces_are_refreshed() {
    let mut w = world();
    let (near, far) = (START + 30 * DAY, START + 90 * DAY);
    for expiry in [near, far] {
        list_future(&mut w, ETH, expiry, 0);
    }
    let outcome = publish(&mut w, ETH, &[flat(near, 60), flat(far, 60)]);
    ok(&w, outcome);
    w.vm.advance(60);
    let surface = VolatilitySurface {
        at_the_money: 610_000_000,
        skew: -4_000_000,
        curvature: 3_000_000,
        variance_floor: 50_000,
    };
    let update = |expiry, basis| SurfaceUpdate { expiry, basis, surface };
    let authority = w.authority.insecure_clone();
    let updates = vec![update(near, 300_000), update(far, -300_000)];
    let refresh = instruction::refresh_surface(&w.exchange, &authority.pubkey(), ETH, updates);
    let outcome = w.vm.send(&[refresh], &[&authority]);
    let receipt = ok(&w, outcome);
    let refreshed = |expiry, basis| SurfaceRefreshed {
        asset: ETH,
        expiry,
        basis,
        surface,
        // 60 % stood all the time.
        slow_surface: flat(expiry, 60).surface,
    };
    assert_eq!(
        logged::<SurfaceRefreshed>(&receipt),
        [refreshed(near, 300_000), refreshed(far, -300_000)]
    );
}
