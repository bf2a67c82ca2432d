//! What the authority does.
use ballast::instructions::{CreateExchangeArgs, ListCollateralArgs, ListInstrumentArgs};
use ballast::state::{InstrumentKind, Market, RiskBoard, ValueLimits, DISCRIMINATOR};
use ballast_client::{instruction, Exchange};
use ballast_migrations::config::{self, feed, feeds, AUCTION, FEES, LIMITS};
use ballast_risk::{defaults, PortfolioParams};
use ballast_sim::world::{mint_account, ValueMessage, World, BTC, START, TOKEN_PROGRAM};
use ballast_tests::setup::{allocate, DAY};
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::table::Table;

/// Measures listing on an exchange that exists, and creating another one.
pub fn measure(table: &mut Table) {
    let mut world = world();
    table.add("create_exchange", create_exchange(&mut world), 40_000);
    table.add("list_asset", list_asset(&mut world), 5_000);
    table.add("list_collateral", list_collateral(&mut world), 25_000);
    table.add("list_instrument", list_instrument(&mut world), 7_000);
    let [set, refresh] = surface_feeds(&mut world);
    table.add("set_surface_source", set, 14_000);
    table.add("refresh_surface_from_feeds", refresh, 6_000);
}

fn create_exchange(world: &mut World) -> u64 {
    let (authority, board) = (world.authority.insecure_clone(), world.vm.keypair());
    let exchange = Exchange::new(2, board.pubkey(), world.usd.mint);
    let args = CreateExchangeArgs {
        id: 2,
        fees: FEES,
        limits: LIMITS,
        auction: AUCTION,
        quote_feed: feed(feeds::USDC),
        quote_deposit_cap: 1_000_000,
        quote_owner_deposit_cap: 1_000_000,
        level_weights: PortfolioParams::DEFAULT.level_weights.map(|w| w.0),
        maintenance_factor: PortfolioParams::DEFAULT.maintenance_factor.0,
    };
    let allocate = allocate(world, &board.pubkey(), DISCRIMINATOR + size_of::<RiskBoard>());
    let outcome = world.vm.send(&[allocate], &[&authority, &board]);
    ok(world, outcome);
    let create = instruction::create_exchange(&exchange, &authority.pubkey(), args);
    let outcome = world.vm.send(&[create], &[&authority]);
    ok(world, outcome).compute_units
}

fn list_asset(world: &mut World) -> u64 {
    let authority = world.authority.insecure_clone();
    let args = config::asset("MID", [9; 32], &defaults::MID_CAP, 1, 1, START + DAY).asset;
    let list = instruction::list_asset(&world.exchange, &authority.pubkey(), args);
    let outcome = world.vm.send(&[list], &[&authority]);
    ok(world, outcome).compute_units
}

fn list_collateral(world: &mut World) -> u64 {
    let (authority, mint) = (world.authority.insecure_clone(), world.vm.keypair().pubkey());
    world.vm.put(mint, TOKEN_PROGRAM, mint_account(9));
    let args = ListCollateralArgs {
        asset: BTC,
        deposit_cap: 1,
        owner_deposit_cap: 1,
    };
    let list = instruction::list_collateral(&world.exchange, &authority.pubkey(), &mint, args);
    let outcome = world.vm.send(&[list], &[&authority]);
    ok(world, outcome).compute_units
}

fn list_instrument(world: &mut World) -> u64 {
    let (authority, market) = (world.authority.insecure_clone(), world.vm.keypair());
    let create = allocate(world, &market.pubkey(), Market::size(1_024));
    let outcome = world.vm.send(&[create], &[&authority, &market]);
    ok(world, outcome);
    let args = ListInstrumentArgs {
        kind: InstrumentKind::Future,
        asset: BTC,
        lot_size: 1,
        tick_size: 1,
        expiry: START + DAY,
        basis: 0,
        book_capacity: 1_024,
        ..config::book(InstrumentKind::Future)
    };
    let list = instruction::list_instrument(&world.exchange, &authority.pubkey(), &market.pubkey(), args);
    let outcome = world.vm.send(&[list], &[&authority]);
    ok(world, outcome).compute_units
}

/// Binds four value feeds to the BTC future of genesis and publishes what they say.
fn surface_feeds(world: &mut World) -> [u64; 2] {
    let (authority, queue) = (world.authority.insecure_clone(), world.vm.keypair().pubkey());
    let listed = world.board().assets[usize::from(BTC)].expiries[0];
    let feeds = [listed.basis, 600_000_000, -100_000_000, 20_000_000].map(|value| {
        let key = world.vm.keypair().pubkey();
        let message = ValueMessage::new(queue, [1; 32], value, (world.vm.now(), world.vm.clock().slot));
        world.post_value(key, &message);
        key
    });
    let limits = ValueLimits {
        max_deviation: 1,
        max_age_seconds: 300,
        min_samples: 3,
    };
    let at = (BTC, listed.time);
    let set = instruction::set_surface_source(&world.exchange, &authority.pubkey(), at, feeds, limits);
    let outcome = world.vm.send(&[set], &[&authority]);
    let set = ok(world, outcome).compute_units;
    let refresh = instruction::refresh_surface_from_feeds(&world.exchange, at, feeds);
    let outcome = world.vm.send(&[refresh], &[]);
    [set, ok(world, outcome).compute_units]
}
