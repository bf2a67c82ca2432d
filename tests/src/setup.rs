//! What several tests set up the same way.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::system_instruction;
use anchor_lang::{AnchorDeserialize, Discriminator, Owner};
use ballast::instructions::SurfaceUpdate;
use ballast::state::{InstrumentKind, Market, VolatilitySurface, QUOTE_ASSET};
use ballast_client::address::Exchange;
use ballast_client::instruction::{self, AccountKeys};
use ballast_migrations::config;
use ballast_migrations::genesis::{self, Founder};
use ballast_risk::defaults;
use ballast_sim::vm::Receipt;
use ballast_sim::world::{
    mint_account, settle_down, token_account, Outcome, PriceMessage, Token, User, World, BTC, ETH, RECEIVERS, SOL,
    START, TOKEN_PROGRAM,
};
use bytemuck::Pod;
use solana_signer::Signer;

use crate::{ok, world};

/// Quote units in a dollar.
pub const USD: u64 = 1_000_000;
/// Dollars as reports have them, 10⁻⁸.
pub const DOLLAR: i64 = 100_000_000;
/// Board prices in a dollar.
pub const PRICE: i64 = 1_000_000_000;
/// Native units of a BTC token.
pub const BTC_UNIT: u64 = 100_000_000;
/// Native units of a SOL token.
pub const SOL_UNIT: u64 = 1_000_000_000;
/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// Instruments in the order of genesis.
pub const BTC_PERP: usize = 0;
/// The BTC future of genesis.
pub const BTC_FUTURE: usize = 1;
/// The ETH perpetual.
pub const ETH_PERP: usize = 2;
/// The ETH future of genesis.
pub const ETH_FUTURE: usize = 3;
/// The SOL perpetual.
pub const SOL_PERP: usize = 4;
/// The SOL future of genesis.
pub const SOL_FUTURE: usize = 5;

/// A wallet with `dollars` of cash.
pub fn trader(world: &mut World, dollars: u64) -> User {
    let user = world.user();
    let usd = world.usd;
    if dollars > 0 {
        deposit(world, &user, &usd, dollars * USD);
    }
    user
}

/// Gives `amount` native units to the user and deposits them.
pub fn deposit(world: &mut World, user: &User, token: &Token, amount: u64) {
    let outcome = world.fund(user, token, amount);
    ok(world, outcome);
}

/// A trader with `cash` dollars and a maker with ten million.
pub fn pair(world: &mut World, cash: u64) -> (User, User) {
    (trader(world, cash), trader(world, 10_000_000))
}

/// The taker buys `lots` at `price` dollars (sells, when negative).
pub fn trade(world: &mut World, instrument: usize, taker: &User, maker: &User, lots: i64, price: f64) {
    let outcome = world.trade(instrument, taker, maker, lots, price);
    ok(world, outcome);
}

/// Creates an account of `len` bytes for the program and lets `next` take it over.
pub fn allocate(world: &World, key: &Pubkey, len: usize) -> Instruction {
    let lamports = world.vm.svm.minimum_balance_for_rent_exemption(len);
    system_instruction::create_account(&world.authority.pubkey(), key, lamports, len as u64, &ballast::ID)
}

/// Lists one more future of an asset on lots and ticks of its perpetual (SOL's for further assets) and returns its index.
pub fn list_future(world: &mut World, asset: u8, expiry: i64, basis: i64) -> usize {
    list(world, InstrumentKind::Future, asset, expiry, basis, 0)
}

/// Lists an option of an asset, its strike in dollars, on lots and ticks of its perpetual and the basis of its expiry; returns its index.
pub fn list_option(world: &mut World, asset: u8, kind: InstrumentKind, expiry: i64, strike: i64) -> usize {
    let board = world.board();
    let mut expiries = board.assets[usize::from(asset)].expiries.iter();
    let basis = expiries.find(|e| e.time == expiry).map_or(0, |e| e.basis);
    list(world, kind, asset, expiry, basis, strike * PRICE)
}

/// A surface of one volatility in percent for an expiry without basis.
pub fn flat(expiry: i64, percent: i64) -> SurfaceUpdate {
    SurfaceUpdate {
        expiry,
        basis: 0,
        surface: VolatilitySurface {
            at_the_money: percent * 10_000_000,
            ..VolatilitySurface::default()
        },
    }
}

/// `refresh_surface` by the authority, who becomes the publisher with it.
pub fn publish(world: &mut World, asset: u8, updates: &[SurfaceUpdate]) -> Outcome {
    world.publish(asset, updates)
}

fn list(world: &mut World, kind: InstrumentKind, asset: u8, expiry: i64, basis: i64, strike: i64) -> usize {
    let outcome = world.list(asset, kind, expiry, basis, strike);
    ok(world, outcome);
    world.last_listed
}

/// Changes an account of the program in place: for states that no instruction of a test could bring about.
pub fn edit<T: Pod + Discriminator + Owner>(world: &mut World, key: &Pubkey, change: impl FnOnce(&mut T)) {
    let mut account = world.read::<T>(key);
    change(&mut account);
    let mut data = world.vm.data(key); // a market's book lies behind it
    data[T::DISCRIMINATOR.len()..][..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(account.as_ref()));
    world.vm.put(*key, ballast::ID, data);
}

/// The first event of its type that an instruction emitted by self-CPI.
///
/// # Panics
/// When there is none.
pub fn event<E: AnchorDeserialize + Discriminator>(receipt: &Receipt) -> E {
    let mut bodies = receipt.events.iter().filter_map(|e| e.strip_prefix(E::DISCRIMINATOR));
    let mut body = bodies.next().expect("an event of this type");
    E::deserialize(&mut body).expect("the event's layout")
}

/// Another exchange in the same VM, with the same mints, and BTC listed with a perpetual and a future.
pub struct Second {
    /// Its addresses.
    pub exchange: Exchange,
    /// Its markets.
    pub markets: Vec<Pubkey>,
}

/// Founds another exchange with the same authority.
///
/// # Panics
/// When genesis is refused.
pub fn second_exchange(world: &mut World) -> Second {
    let (authority, board) = (world.authority.insecure_clone(), world.vm.keypair());
    let founder = Founder {
        authority: &authority,
        board: &board,
        id: 2,
        quote_mint: world.usd.mint,
    };
    let exchange = genesis::create_exchange(&mut world.vm, &founder).expect("a second exchange");
    let keys = [world.vm.keypair(), world.vm.keypair()];
    let btc = &config::assets(START)[0];
    let (_, markets) = genesis::list(&mut world.vm, &exchange, &authority, btc, Some(&world.btc.mint), &keys)
        .expect("a second exchange lists BTC");
    Second { exchange, markets }
}

impl Second {
    /// Opens account 0 of the user's wallet on this exchange.
    pub fn open(&self, world: &mut World, user: &User) -> AccountKeys {
        let wallet = user.key.pubkey();
        let open = instruction::open_margin_account(&self.exchange, &wallet, 0, vec![]);
        let outcome = world.vm.send(&[open], &[&user.key]);
        ok(world, outcome);
        AccountKeys::new(&self.exchange, &wallet, 0)
    }
}

/// Freezes a token account, or thaws it.
pub fn set_frozen(world: &mut World, key: &Pubkey, frozen: bool) {
    let mut data = world.vm.data(key);
    data[108] = if frozen { 2 } else { 1 }; // state of an SPL token account
    world.vm.put(*key, TOKEN_PROGRAM, data);
}

/// A token account of a new mint.
pub fn foreign_tokens(world: &mut World, wallet: &Pubkey, amount: u64) -> Pubkey {
    let (mint, account) = (world.vm.keypair().pubkey(), world.vm.keypair().pubkey());
    world.vm.put(mint, TOKEN_PROGRAM, mint_account(6));
    world
        .vm
        .put(account, TOKEN_PROGRAM, token_account(&mint, wallet, amount));
    account
}

/// A copy of an account of the program at another address, still owned by the program: what a forger would like to have.
pub fn copy_account(world: &mut World, key: &Pubkey) -> Pubkey {
    let (copy, data) = (world.vm.keypair().pubkey(), world.vm.data(key));
    world.vm.put(copy, ballast::ID, data);
    copy
}

/// Lists one more asset, a mid cap, with a price in dollars, and returns its index.
pub fn list_priced_asset(world: &mut World, symbol: &str, price: f64) -> u8 {
    let feed_id = world.vm.keypair().pubkey().to_bytes();
    let authority = world.authority.insecure_clone();
    let mut args = config::asset(symbol, feed_id, &defaults::MID_CAP, 1, 1, START + DAY).asset;
    settle_down(&mut args);
    let list = instruction::list_asset(&world.exchange, &authority.pubkey(), args);
    let outcome = world.vm.send(&[list], &[&authority]);
    ok(world, outcome);
    let (asset, account) = (world.board().asset_count - 1, world.vm.keypair().pubkey());
    let message = PriceMessage::new(feed_id, price, world.vm.now());
    world
        .vm
        .put(account, RECEIVERS[0], message.account_data(world.vm.clock().slot));
    let refresh = instruction::refresh_prices(&world.exchange, &[(asset, account)]);
    let outcome = world.vm.send(&[refresh], &[]);
    ok(world, outcome);
    asset
}

/// Lists the perpetual of an asset that has none, on lots and ticks of SOL's, and returns its index.
pub fn list_perpetual(world: &mut World, asset: u8) -> usize {
    list(world, InstrumentKind::Perpetual, asset, 0, 0, 0)
}

/// Deposits or withdraws quote until the account has exactly `units` of cash.
pub fn set_cash(world: &mut World, user: &User, units: i64) {
    let (usd, key) = (world.usd, user.account.margin_account);
    let missing = units - world.margin_account(&key).cash;
    let outcome = if missing > 0 {
        world.fund(user, &usd, missing.unsigned_abs())
    } else {
        world.withdraw(user, &usd, missing.unsigned_abs())
    };
    ok(world, outcome);
}

/// A user long 1 BTC from 100,000 whose equity at an index of P is P − 90,000, and the maker on the other side: at 100,000 just enough.
///
/// MM is 7.15 % of P: the account falls under it at P = 90,000 / 0.9285 = 96,930.533118…
pub fn long_btc() -> (World, User, User) {
    let mut world = world();
    let (user, maker) = pair(&mut world, 0);
    // 10,000 of equity, a fee of 50 and the 2 that the first position locks.
    set_cash(&mut world, &user, 10_052 * USD as i64);
    trade(&mut world, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    (world, user, maker)
}

/// Moves the clock to `time` and refreshes quote and BTC then.
pub fn btc_at(world: &mut World, time: i64, price: f64) {
    let gap = time - 1 - world.vm.now();
    world.vm.advance(gap);
    world.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, price)]); // takes a second
    assert_eq!(world.vm.now(), time);
}

/// A trade of `lots` in the BTC perpetual at `price`, 10⁻⁹ dollars.
pub fn btc_trade(w: &World, taker: &User, maker: &User, lots: i64, price: i64) -> Instruction {
    instruction::block_trade(
        &w.exchange,
        &w.markets[BTC_PERP],
        &taker.account,
        &maker.account,
        lots,
        price,
    )
}

/// Lets a perpetual's book show this impact mid from now on, 10⁻⁹ dollars; 0 for none.
pub fn show_mid(world: &mut World, instrument: usize, mid: i64) {
    let outcome = world.update_funding(instrument);
    ok(world, outcome);
    let market = world.markets[instrument];
    edit::<Market>(world, &market, |market| {
        (market.premium.mid, market.premium.mid_until) = (mid, i64::MAX);
    });
}

/// Moves the clock to `time`, posts every price again as it stands and updates the perpetual's funding.
pub fn fund_at(world: &mut World, instrument: usize, time: i64) {
    let board = world.board();
    let dollars = |price: i64| price as f64 / PRICE as f64;
    let mut prices = vec![(QUOTE_ASSET, dollars(board.quote.index))];
    prices.extend([BTC, ETH, SOL].map(|asset| (asset, dollars(board.assets[usize::from(asset)].price.index))));
    let gap = time - 1 - world.vm.now();
    world.vm.advance(gap);
    world.set_prices(&prices); // takes a second
    assert_eq!(world.vm.now(), time);
    let outcome = world.update_funding(instrument);
    ok(world, outcome);
}
