//! What they do, one variant an instruction.
use ballast::instructions::{OrderArgs, OrderKind};
use ballast::state::OrderId;
use ballast_client::quote::Quote;
use ballast_sim::world::{sign, Outcome, Token, World};

use crate::calendar::{expiry_of, Calendar};
use crate::crowd::Crowd;

/// An instruction to be sent. Accounts are numbers in the crowd.
#[derive(Debug)]
pub enum Act {
    /// `place_order`; so many of the makers' accounts are left out at the end.
    Place {
        who: usize,
        instrument: usize,
        order: OrderArgs,
        left_out: usize,
    },
    /// `cancel_order`.
    Cancel { who: usize, instrument: usize, id: OrderId },
    /// `cancel_all_orders`.
    CancelAll { who: usize, instruments: Vec<usize> },
    /// `cancel_stale_orders`.
    CancelStale {
        instrument: usize,
        accounts: Vec<usize>,
        cranker: Option<usize>,
    },
    /// `reconcile_owner`.
    Reconcile { who: usize },
    /// `fill_quote` of a quote that the maker signs.
    FillQuote {
        quote: Quote,
        maker: usize,
        taker: usize,
        units: u64,
    },
    /// `cancel_quote`.
    CancelQuote { maker: usize, nonce: u64 },
    /// `raise_quote_floor`.
    RaiseFloor { maker: usize, floor: u64 },
    /// `block_trade`.
    Block {
        taker: usize,
        maker: usize,
        instrument: usize,
        lots: i64,
        price: i64,
    },
    /// `update_funding`.
    Fund { instrument: usize },
    /// `fix_settlement`.
    Fix { asset: u8, expiry: i64 },
    /// `settle_expiry`.
    Expire { who: usize, instrument: usize },
    /// `waive_claim`.
    Waive { who: usize, instrument: usize },
    /// `close_instrument`.
    Close { instrument: usize },
    /// `settle_pnl`.
    Settle { who: usize, instruments: Vec<usize> },
    /// `refresh_prices` of what was posted.
    Refresh { assets: Vec<u8> },
    /// `deposit`.
    Deposit { who: usize, token: Token, amount: u64 },
    /// `withdraw`.
    Withdraw { who: usize, token: Token, amount: u64 },
    /// `delist_instrument`.
    Delist { instrument: usize, ends_at: i64 },
    /// `set_settlement_price`.
    SetPrice { asset: u8, expiry: i64, price: i64 },
    /// `claim_referral`.
    Claim { who: usize, referrer: usize },
    /// `flag`.
    Flag { who: usize },
    /// `unflag`.
    Unflag { who: usize },
    /// `liquidate`.
    Liquidate {
        who: usize,
        keeper: usize,
        instrument: usize,
        lots: u64,
    },
}

impl Act {
    /// The instruction's name.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Place { order, .. } => match order.kind {
                OrderKind::Limit | OrderKind::PostOnly => "place_order, rests",
                OrderKind::ImmediateOrCancel | OrderKind::FillOrKill => "place_order, at once",
            },
            Act::Cancel { .. } => "cancel_order",
            Act::CancelAll { .. } => "cancel_all_orders",
            Act::CancelStale { .. } => "cancel_stale_orders",
            Act::Reconcile { .. } => "reconcile_owner",
            Act::FillQuote { .. } => "fill_quote",
            Act::CancelQuote { .. } => "cancel_quote",
            Act::RaiseFloor { .. } => "raise_quote_floor",
            Act::Block { .. } => "block_trade",
            Act::Fund { .. } => "update_funding",
            Act::Fix { .. } => "fix_settlement",
            Act::Expire { .. } => "settle_expiry",
            Act::Waive { .. } => "waive_claim",
            Act::Close { .. } => "close_instrument",
            Act::Settle { .. } => "settle_pnl",
            Act::Refresh { .. } => "refresh_prices",
            Act::Deposit { .. } => "deposit",
            Act::Withdraw { .. } => "withdraw",
            Act::Delist { .. } => "delist_instrument",
            Act::SetPrice { .. } => "set_settlement_price",
            Act::Claim { .. } => "claim_referral",
            Act::Flag { .. } => "flag",
            Act::Unflag { .. } => "unflag",
            Act::Liquidate { .. } => "liquidate",
        }
    }

    /// Sends it.
    pub fn send(&self, world: &mut World, crowd: &mut Crowd, calendar: &mut Calendar) -> Outcome {
        let user = |n: &usize| &crowd.users[*n];
        let key = |n: &usize| user(n).account.margin_account;
        match self {
            Act::Place {
                who,
                instrument,
                order,
                left_out,
            } => {
                let mut makers = world.makers(*instrument, &key(who), order);
                makers.truncate(makers.len().saturating_sub(*left_out));
                world.place_with(*instrument, user(who), *order, &makers)
            }
            Act::Cancel { who, instrument, id } => world.cancel(*instrument, user(who), *id),
            Act::CancelAll { who, instruments } => world.cancel_all(user(who), instruments),
            Act::CancelStale {
                instrument,
                accounts,
                cranker,
            } => {
                let accounts: Vec<_> = accounts.iter().map(key).collect();
                world.cancel_stale(*instrument, &accounts, cranker.as_ref().map(user))
            }
            Act::Reconcile { who } => world.reconcile(&key(who)),
            Act::FillQuote {
                quote,
                maker,
                taker,
                units,
            } => {
                let signed = sign(quote, &user(maker).key);
                world.fill_quote(&signed, user(taker), &user(maker).account, *units)
            }
            Act::CancelQuote { maker, nonce } => world.cancel_quote(user(maker), *nonce),
            Act::RaiseFloor { maker, floor } => {
                let outcome = world.raise_quote_floor(user(maker), *floor);
                if outcome.is_ok() {
                    crowd.nonces[*maker] = *floor;
                }
                outcome
            }
            Act::Block {
                taker,
                maker,
                instrument,
                lots,
                price,
            } => world.trade_at(*instrument, user(taker), user(maker), *lots, *price),
            Act::Fund { instrument } => world.update_funding(*instrument),
            Act::Fix { asset, expiry } => world.fix_settlement(*asset, *expiry),
            Act::Expire { who, instrument } => world.settle_expiry(&key(who), *instrument),
            Act::Waive { who, instrument } => world.waive_claim(user(who), *instrument),
            Act::Close { instrument } => {
                let (board, now) = (world.board(), world.vm.now());
                let outcome = world.close_instrument(*instrument);
                if outcome.is_ok() {
                    calendar.note(expiry_of(&board, &board.instruments[*instrument]), now);
                    calendar.next(world);
                }
                outcome
            }
            Act::Settle { who, instruments } => world.settle(&key(who), instruments),
            Act::Refresh { assets } => world.refresh(assets),
            Act::Deposit { who, token, amount } => world.deposit(user(who), token, *amount),
            Act::Withdraw { who, token, amount } => world.withdraw(user(who), token, *amount),
            Act::Delist { instrument, ends_at } => world.delist(*instrument, *ends_at),
            Act::SetPrice { asset, expiry, price } => world.set_settlement_price(*asset, *expiry, *price),
            Act::Claim { who, referrer } => world.claim_referral(&key(who), &key(referrer)),
            Act::Flag { who } => world.flag(&key(who)),
            Act::Unflag { who } => world.unflag(&key(who)),
            Act::Liquidate {
                who,
                keeper,
                instrument,
                lots,
            } => world.liquidate(*instrument, &user(who).account, user(keeper), *lots),
        }
    }
}
