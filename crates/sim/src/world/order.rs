//! Orders: placing, cancelling and looking at them.
use anchor_lang::prelude::Pubkey;
use ballast::instructions::{OrderArgs, OrderKind, OrderSide, SelfTradeRule, MAX_MATCHES};
use ballast::state::OrderId;
use ballast_book::{Order, Side};
use ballast_client::order;

use super::{Outcome, User, World};
use crate::invariants::Action;

/// 10⁻⁹ USD in a dollar.
const PRICE_UNIT: f64 = 1e9;

/// An order to buy `lots` at `price` dollars (to sell, when negative) whose rest rests.
pub fn limit(lots: i64, price: f64) -> OrderArgs {
    OrderArgs {
        side: if lots < 0 { OrderSide::Ask } else { OrderSide::Bid },
        price: (price * PRICE_UNIT).round() as i64,
        lots: lots.unsigned_abs(),
        kind: OrderKind::Limit,
        reduce_only: false,
        client_order_id: 0,
        expires_at: 0,
        max_matches: MAX_MATCHES,
        self_trade: SelfTradeRule::CancelTaker,
    }
}

/// The same that only rests.
pub fn post_only(lots: i64, price: f64) -> OrderArgs {
    OrderArgs {
        kind: OrderKind::PostOnly,
        ..limit(lots, price)
    }
}

/// The same that trades at once or not at all, as far as it goes.
pub fn at_once(lots: i64, price: f64) -> OrderArgs {
    OrderArgs {
        kind: OrderKind::ImmediateOrCancel,
        ..limit(lots, price)
    }
}

impl World {
    /// `place_order` with the accounts of all makers that the order may meet, in the book's order, and of whom a full book gives up for it.
    pub fn place(&mut self, instrument: usize, user: &User, args: OrderArgs) -> Outcome {
        let makers = self.makers(instrument, &user.account.margin_account, &args);
        self.place_with(instrument, user, args, &makers)
    }

    /// `place_order` with these makers' accounts.
    pub fn place_with(&mut self, instrument: usize, user: &User, args: OrderArgs, makers: &[Pubkey]) -> Outcome {
        self.update_due_funding([instrument]);
        let place = order::place_order(&self.exchange, &self.markets[instrument], &user.account, args, makers);
        let action = Action::Place {
            account: user.account.margin_account,
            instrument,
            order: args,
            makers: makers.to_vec(),
        };
        self.send(&action, place, &[&user.key])
    }

    /// `cancel_order`.
    pub fn cancel(&mut self, instrument: usize, user: &User, id: OrderId) -> Outcome {
        let cancel = order::cancel_order(&self.exchange, &self.markets[instrument], &user.account, id);
        let account = user.account.margin_account;
        self.send(&Action::Cancel { account }, cancel, &[&user.key])
    }

    /// `cancel_all_orders` in these instruments.
    pub fn cancel_all(&mut self, user: &User, instruments: &[usize]) -> Outcome {
        let markets: Vec<Pubkey> = instruments.iter().map(|i| self.markets[*i]).collect();
        let cancel = order::cancel_all_orders(&self.exchange, &markets, &user.account);
        let account = user.account.margin_account;
        self.send(&Action::Cancel { account }, cancel, &[&user.key])
    }

    /// `cancel_stale_orders` of these accounts; the cranker's account gets the bounties.
    pub fn cancel_stale(&mut self, instrument: usize, accounts: &[Pubkey], cranker: Option<&User>) -> Outcome {
        let cranker = cranker.map(|user| user.account.margin_account);
        let sweep = order::cancel_stale_orders(&self.exchange, &self.markets[instrument], accounts, cranker);
        let action = Action::CancelStale {
            accounts: accounts.to_vec(),
            cranker,
        };
        self.send(&action, sweep, &[])
    }

    /// `reconcile_owner`.
    pub fn reconcile(&mut self, account: &Pubkey) -> Outcome {
        let owner = self.margin_account(account).owner;
        let reconcile = order::reconcile_owner(account, &owner);
        self.send(&Action::Reconcile { account: *account }, reconcile, &[])
    }

    /// The orders of one side of a book, best first.
    ///
    /// # Panics
    /// Without the market.
    pub fn orders(&self, instrument: usize, side: Side) -> Vec<Order> {
        let data = self.vm.data(&self.markets[instrument]);
        let book = order::book(&data).expect("a market's book");
        book.orders(side).map(|(_, order)| *order).collect()
    }

    /// The accounts that an order of `own` needs, in the order in which it meets them.
    ///
    /// # Panics
    /// Without the market.
    pub fn makers(&self, instrument: usize, own: &Pubkey, args: &OrderArgs) -> Vec<Pubkey> {
        let data = self.vm.data(&self.markets[instrument]);
        order::makers(order::book(&data).expect("a market's book"), own, args)
    }
}
