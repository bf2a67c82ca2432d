//! What attacks share: the wealth of a group of wallets, time that passes at standing prices, and accounts in distress.
use ballast::state::QUOTE_ASSET;
use ballast_fixed::Quantity;
use ballast_sim::world::{Outcome, Token, User, World, BTC, ETH, SOL};
use ballast_tests::ok;
use ballast_tests::setup::*;

/// 10⁻⁹ USD in a dollar.
const PRICE_DOLLAR: f64 = 1e9;

/// All that these wallets own or owe: tokens outside, collateral at the index, cash, reserves and positions at the index, in 10⁻¹⁸ USD.
///
/// The quote asset counts one dollar. Whatever a group does among itself and with the exchange, this must not rise at standing prices.
pub fn wealth(world: &World, users: &[&User]) -> i128 {
    let board = world.board();
    let mut total = 0;
    for user in users {
        let tokens = |account| i128::from(world.tokens(account));
        let (btc, sol) = (tokens(&user.btc), tokens(&user.sol));
        total += tokens(&user.usd) * 1_000_000_000_000;
        total += btc * 10 * i128::from(board.assets[usize::from(BTC)].price.index);
        total += sol * i128::from(board.assets[usize::from(SOL)].price.index);
        total += account_wealth(world, user);
    }
    total
}

fn account_wealth(world: &World, user: &User) -> i128 {
    let board = world.board();
    let account = world.margin_account(&user.account.margin_account);
    let mut total = i128::from(account.cash + account.reserve) * 1_000_000_000_000;
    for balance in &account.balances {
        let scale = 10i128.pow(9 - u32::from(balance.decimals.min(9)));
        let price = board.assets[usize::from(balance.asset)].price.index;
        total += i128::from(balance.amount) * scale * i128::from(price);
    }
    for position in account.positions() {
        let instrument = &board.instruments[usize::from(position.instrument)];
        let mark = board.mark(instrument, world.vm.now()).expect("a mark");
        let lots = Quantity(position.lots * instrument.lot_size);
        total += instrument
            .funded_quote(position, lots, world.vm.now())
            .expect("a quote")
            .0;
        total += i128::from(position.lots) * i128::from(instrument.lot_size) * i128::from(mark.0);
    }
    total
}

/// `seconds` pass and every price is posted again as it stands.
pub fn wait(world: &mut World, seconds: i64) {
    let board = world.board();
    let dollars = |price: i64| price as f64 / PRICE_DOLLAR;
    let mut prices = vec![(QUOTE_ASSET, dollars(board.quote.index))];
    prices.extend([BTC, ETH, SOL].map(|asset| (asset, dollars(board.assets[usize::from(asset)].price.index))));
    world.vm.advance(seconds - 1); // posting takes one more
    world.set_prices(&prices);
}

/// Hours pass until index and slow price agree to a hundredth of a percent.
pub fn let_slow_prices_catch_up(world: &mut World) {
    for _ in 0..48 {
        let board = world.board();
        let settled = board.assets.iter().take(usize::from(board.asset_count)).all(|asset| {
            let gap = i128::from(asset.price.index - asset.price.slow).abs();
            gap * 10_000 <= i128::from(asset.price.index)
        });
        if settled {
            return;
        }
        wait(world, 3_600);
    }
    panic!("the slow prices never caught up");
}

/// Withdraws as much as the program lets go, by halving amounts; returns what left.
pub fn withdraw_all_that_goes(world: &mut World, user: &User, token: &Token) -> u64 {
    let mut taken = 0;
    for bit in (0..44).rev() {
        let amount = 1u64 << bit;
        if world.withdraw(user, token, amount).is_ok() {
            taken += amount;
        }
    }
    taken
}

/// An account under its maintenance margin, the maker on the other side, and a keeper with a million.
pub struct Distress {
    /// Long one BTC perpetual from 100,000 with 12,000 of cash.
    pub victim: User,
    /// Short the same.
    pub maker: User,
    /// Takes over.
    pub keeper: User,
}

/// BTC falls to `price` dollars; the fund holds 10,000.
///
/// At 94,000 the victim has 12,000 − 50 of fees − 6,000 = 5,950 against a maintenance margin of 7.15 % · 94,000 = 6,721.
pub fn distress(world: &mut World, price: f64) -> Distress {
    let victim = trader(world, 12_000);
    let maker = trader(world, 1_000_000);
    let keeper = trader(world, 1_000_000);
    let outcome = world.fund_insurance(&keeper, 10_000 * USD);
    ok(world, outcome);
    trade(world, BTC_PERP, &victim, &maker, 10_000, 100_000.0);
    world.set_prices(&[(BTC, price)]);
    Distress { victim, maker, keeper }
}

/// Flags the account; the next instruction comes in a later slot.
pub fn flag(world: &mut World, user: &User) {
    let outcome = world.flag(&user.account.margin_account);
    ok(world, outcome);
    world.vm.advance(1);
}

/// Whether an outcome was a success, after checking conservation.
pub fn went_through(world: &World, outcome: Outcome) -> bool {
    let through = outcome.is_ok();
    ballast_sim::invariants::conservation(world).unwrap_or_else(|e| panic!("{e:?}"));
    through
}
