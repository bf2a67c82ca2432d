//! Builders of the instructions about orders, and whose accounts an order needs.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::instructions::{OrderArgs, OrderSide};
use ballast::state::{Market, OrderId, DISCRIMINATOR};
use ballast::{accounts, instruction as data};
use ballast_book::{BookError, BookRef, Side};

use crate::address::{event_authority, Exchange};
use crate::instruction::{build, with_writable, AccountKeys};

/// `place_order`. `makers` are the margin accounts that [`makers`] names.
pub fn place_order(
    exchange: &Exchange,
    market: &Pubkey,
    account: &AccountKeys,
    args: OrderArgs,
    makers: &[Pubkey],
) -> Instruction {
    let accounts = accounts::PlaceOrder {
        exchange: exchange.key,
        board: exchange.board,
        market: *market,
        margin_account: account.margin_account,
        owner: account.owner,
        signer: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    with_writable(build(accounts, data::PlaceOrder { args }), makers)
}

fn cancel_accounts(exchange: &Exchange, account: &AccountKeys) -> accounts::CancelOrders {
    accounts::CancelOrders {
        exchange: exchange.key,
        board: exchange.board,
        margin_account: account.margin_account,
        owner: account.owner,
        signer: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    }
}

/// `cancel_order`.
pub fn cancel_order(exchange: &Exchange, market: &Pubkey, account: &AccountKeys, id: OrderId) -> Instruction {
    let accounts = cancel_accounts(exchange, account);
    with_writable(build(accounts, data::CancelOrder { id }), &[*market])
}

/// `cancel_all_orders` of the account in `markets`.
pub fn cancel_all_orders(exchange: &Exchange, markets: &[Pubkey], account: &AccountKeys) -> Instruction {
    let accounts = cancel_accounts(exchange, account);
    with_writable(build(accounts, data::CancelAllOrders {}), markets)
}

/// `cancel_stale_orders` of `margin_accounts` in a market; `cranker` is the margin account that gets the bounties.
pub fn cancel_stale_orders(
    exchange: &Exchange,
    market: &Pubkey,
    margin_accounts: &[Pubkey],
    cranker: Option<Pubkey>,
) -> Instruction {
    let accounts = accounts::CancelStaleOrders {
        exchange: exchange.key,
        board: exchange.board,
        market: *market,
        quote_pool: exchange.quote_pool(),
        cranker,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    with_writable(build(accounts, data::CancelStaleOrders {}), margin_accounts)
}

/// `reconcile_owner` of a margin account and its wallet's record.
pub fn reconcile_owner(margin_account: &Pubkey, owner: &Pubkey) -> Instruction {
    let accounts = accounts::ReconcileOwner {
        margin_account: *margin_account,
        owner: *owner,
    };
    build(accounts, data::ReconcileOwner {})
}

/// The book in the data of a market's account.
///
/// # Errors
/// Those of [`BookRef::load`], for what is no market.
pub fn book(market: &[u8]) -> Result<BookRef<'_>, BookError> {
    let book = market.get(DISCRIMINATOR + size_of::<Market>()..);
    BookRef::load(book.ok_or(BookError::Size)?)
}

/// The margin accounts that an order of the account `own` needs besides it: of the owners of the resting orders that it may meet, in the
/// order in which it meets them, and of the order that a full book gives up for it.
pub fn makers(book: BookRef, own: &Pubkey, args: &OrderArgs) -> Vec<Pubkey> {
    let side = match args.side {
        OrderSide::Bid => Side::Bid,
        OrderSide::Ask => Side::Ask,
    };
    let met = book.orders(side.opposite()).map(|(_, order)| order);
    let met = met
        .take_while(|order| side.crosses(args.price, order.price))
        .take(args.max_matches.into());
    let evicted = book.would_evict(side, args.price);
    let evicted = evicted.and_then(|handle| book.order(handle));
    let mut keys: Vec<Pubkey> = Vec::new();
    for order in met.chain(evicted) {
        let key = Pubkey::new_from_array(order.owner);
        if key != *own && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}
