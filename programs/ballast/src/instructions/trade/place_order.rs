//! `place_order`: an order comes to a market's book, trades with what it crosses, and rests with what is left.
use std::cell::RefMut;

use anchor_lang::prelude::*;
use ballast_book::{match_incoming, Book, Incoming, Kind, MatchError, Outcome, Side, Stop};
use ballast_fixed::{Dollars, Lots, Price};
use ballast_risk::trade::{judge, TradeFacts};
use ballast_risk::MarginReport;

use crate::clearing::orders::{reducible, reductions, rest, Counterparties, Parties, Rest, Taker, Venue};
use crate::clearing::{
    check_cash, check_last_funding, check_market_open_interest, check_owner_open_interest, check_size, fee_rates,
    observe_book, touch, Fill,
};
use crate::error::{ensure, fail, BallastError, OrError};
use crate::events::{DropReason, OrderPlaced};
use crate::margin::{AssetSet, Revaluation};
use crate::state::{Exchange, MarginAccount, Market, OwnerRecord, RiskBoard};

/// Most resting orders that one order may meet.
pub const MAX_MATCHES: u8 = 16;

/// The side of an order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSide {
    /// Buys.
    Bid,
    /// Sells.
    Ask,
}

/// What becomes of the part of an order that does not trade at once.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// It rests.
    Limit,
    /// It rests, and nothing may trade at once.
    PostOnly,
    /// It is dropped.
    ImmediateOrCancel,
    /// There must be none.
    FillOrKill,
}

/// What happens where an order meets one of the same wallet.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTradeRule {
    /// The rest of the incoming order is dropped.
    CancelTaker,
    /// The resting order is removed.
    CancelMaker,
    /// The lots of the smaller order are taken off both.
    Decrement,
}

/// An order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderArgs {
    /// Buys or sells.
    pub side: OrderSide,
    /// The worst price, 10⁻⁹ USD.
    pub price: i64,
    /// Lots.
    pub lots: u64,
    /// What becomes of the part that does not trade at once.
    pub kind: OrderKind,
    /// It may only reduce the position: what is more of it is cut off.
    pub reduce_only: bool,
    /// The client's own number, by which the order can be cancelled.
    pub client_order_id: u64,
    /// Unix seconds from which it no longer trades; 0 for never.
    pub expires_at: i64,
    /// Resting orders that it may meet, 1 to 16.
    pub max_matches: u8,
    /// What happens where it meets an order of the same wallet.
    pub self_trade: SelfTradeRule,
}

/// Accounts of `place_order`. Behind them come the margin accounts of the makers that the order may meet, in any order, and of the owner of the
/// order that a full book would give up for it.
#[event_cpi]
#[derive(Accounts)]
pub struct PlaceOrder<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The market.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub market: AccountLoader<'info, Market>,
    /// The account whose order it is.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = owner @ BallastError::WrongOwnerRecord
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Its wallet or a delegate.
    pub signer: Signer<'info>,
}

impl PlaceOrder<'_> {
    fn validate(&self, args: &OrderArgs) -> Result<()> {
        let signer = self.signer.key;
        ensure!(self.margin_account.load()?.may_trade(signer), BallastError::NotTrader);
        let recorded = self.exchange.load()?.market(self.market.load()?.instrument)?;
        ensure!(recorded == self.market.key(), BallastError::WrongMarket);
        ensure!(args.lots != 0, BallastError::ZeroAmount);
        ensure!(i64::try_from(args.lots).is_ok(), BallastError::MathOverflow);
        let within = (1..=MAX_MATCHES).contains(&args.max_matches) && args.expires_at >= 0;
        ensure!(within, BallastError::InvalidParameter);
        Ok(())
    }
}

/// Matches an order and lets its rest rest.
///
/// # Errors
/// Those of the order itself, named after what it breaks, and those of its account's margin after all fills. What becomes of a maker refuses
/// nothing.
#[access_control(ctx.accounts.validate(&args))]
pub(crate) fn place_order<'info>(ctx: Context<'info, PlaceOrder<'info>>, args: OrderArgs) -> Result<()> {
    let event = place(ctx.accounts, ctx.remaining_accounts, &args)?;
    emit_cpi!(event);
    Ok(())
}

#[inline(never)]
fn place<'info>(
    accounts: &PlaceOrder<'info>,
    others: &'info [AccountInfo<'info>],
    args: &OrderArgs,
) -> Result<OrderPlaced> {
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let key = accounts.margin_account.key();
    let makers = Parties::load(others, &accounts.exchange.key(), &key)?;
    let mut data = accounts.market.as_ref().try_borrow_mut_data()?;
    let (market, book) = Market::split(&mut data)?;
    let mut book = Book::load(book).or_error()?;
    let venue = Venue::new(&exchange, &board, market, Clock::get()?.unix_timestamp)?;
    let mut account = accounts.margin_account.load_mut()?;
    let mut owner = accounts.owner.load_mut()?;
    account.reconcile(&mut owner)?;
    touch(&mut account, market, venue.instrument, venue.now)?;
    let order = Order::new(&venue, market, &account, &book, args)?;

    let params = board.portfolio_params();
    let assets = AssetSet::from_iter([venue.instrument.asset]);
    let mut revaluation = Revaluation::new(&board, &params, &account, assets, venue.now, None)?;
    let before = Before::new(&mut revaluation, &account, market, &venue)?;
    let aside = revaluation.set_aside();
    let rate = fee_rates(&exchange.fees, &account.volume, venue.now).taker;
    let mut parties = Counterparties {
        venue: &venue,
        market,
        taker: Taker {
            key,
            account: &mut account,
            owner: &mut owner,
            rate,
            cost: Dollars::ZERO,
        },
        makers: &makers,
        side: order.incoming.side,
        revaluation,
        before: None,
        held_back: false,
        fills: Vec::new(),
        removed: Vec::new(),
    };
    // Whatever a fill leaves of a maker's order keeps its place: else a single lot would take a whole order out of the book.
    let outcome = match_incoming(&mut book, &order.incoming, 1, &mut parties).map_err(refusal)?;
    let rests = outcome.may_rest() && outcome.remaining >= parties.market.min_order_lots;
    let resting = if rests { outcome.remaining } else { 0 };
    let number = match resting {
        0 => 0,
        lots => rest(&mut parties, &mut book, &order.rest(lots))?,
    };
    if resting > 0 || !parties.fills.is_empty() || !parties.removed.is_empty() {
        observe_book(&board, parties.market, book.view(), venue.now)?;
    }
    parties.taker.account.reconcile(parties.taker.owner)?;
    parties.revaluation.resume(aside);
    before.judge(&mut parties, &order, outcome.filled, resting)?;
    let dropped = outcome.remaining.saturating_sub(resting); // 0 ≤ resting ≤ remaining
    Ok(OrderPlaced {
        market: accounts.market.key(),
        sequence: parties.market.next_sequence(),
        instrument: venue.index,
        margin_account: key,
        client_order_id: args.client_order_id,
        side: order.incoming.side as u8,
        price: args.price,
        lots: order.incoming.lots,
        fills: parties.fills,
        removed: parties.removed,
        order: number,
        resting,
        dropped,
        drop_reason: drop_reason(&outcome, dropped, order.is_immediate(), parties.held_back),
    })
}

/// Why `dropped` lots of an order were dropped. `held_back` says whether the maker at whom matching stopped was there.
fn drop_reason(outcome: &Outcome, dropped: i64, is_immediate: bool, held_back: bool) -> DropReason {
    match outcome.stopped {
        _ if dropped == 0 => DropReason::Nothing,
        Stop::MakerMissing if held_back => DropReason::Stale,
        Stop::MakerMissing => DropReason::MakerMissing,
        Stop::MatchLimit => DropReason::MatchLimit,
        Stop::SelfTrade => DropReason::SelfTrade,
        Stop::Price | Stop::Done if is_immediate => DropReason::NotResting,
        Stop::Price | Stop::Done => DropReason::TooSmall,
    }
}

/// An order that has been checked by itself.
struct Order<'a> {
    args: &'a OrderArgs,
    incoming: Incoming,
}

impl<'a> Order<'a> {
    /// Checks price, size and time, and cuts what may only reduce down to what does; where it may rest, together with the account's other
    /// such orders on its side.
    fn new(
        venue: &Venue,
        market: &Market,
        account: &MarginAccount,
        book: &Book,
        args: &'a OrderArgs,
    ) -> Result<Order<'a>> {
        let price = Price(args.price);
        venue.check_price(price)?;
        let in_time = args.expires_at == 0 || args.expires_at > venue.now;
        ensure!(in_time, BallastError::OrderExpired);
        let side = match args.side {
            OrderSide::Bid => Side::Bid,
            OrderSide::Ask => Side::Ask,
        };
        let mut lots = i64::try_from(args.lots).map_err(|_| BallastError::MathOverflow)?;
        if args.reduce_only {
            let open = reducible(account, venue.index, side, i64::MAX);
            let taken = match args.kind {
                OrderKind::Limit | OrderKind::PostOnly => reductions(account, book, venue.index, side)?,
                OrderKind::ImmediateOrCancel | OrderKind::FillOrKill => 0,
            };
            lots = lots.min(open.saturating_sub(taken));
            ensure!(lots > 0, BallastError::NothingToReduce);
        } else {
            venue.check_fresh()?;
            ensure!(lots >= market.min_order_lots, BallastError::TradeTooSmall);
            let limits = &venue.exchange.limits;
            check_size(limits, venue.instrument, Lots(lots), price, venue.index_price)?;
        }
        let incoming = Incoming {
            side,
            limit: args.price,
            lots,
            kind: match args.kind {
                OrderKind::Limit => Kind::Limit,
                OrderKind::PostOnly => Kind::PostOnly,
                OrderKind::ImmediateOrCancel => Kind::ImmediateOrCancel,
                OrderKind::FillOrKill => Kind::FillOrKill,
            },
            self_trade: match args.self_trade {
                SelfTradeRule::CancelTaker => ballast_book::SelfTrade::CancelTaker,
                SelfTradeRule::CancelMaker => ballast_book::SelfTrade::CancelMaker,
                SelfTradeRule::Decrement => ballast_book::SelfTrade::Decrement,
            },
            max_matches: args.max_matches.into(),
            now: venue.now,
        };
        Ok(Order { args, incoming })
    }

    /// What is left of it, to rest.
    fn rest(&self, lots: i64) -> Rest {
        Rest {
            side: self.incoming.side,
            price: self.args.price,
            lots,
            client_order_id: self.args.client_order_id,
            expires_at: self.args.expires_at,
            reduce_only: self.args.reduce_only,
        }
    }

    /// Whether nothing of it can rest.
    fn is_immediate(&self) -> bool {
        matches!(self.incoming.kind, Kind::ImmediateOrCancel | Kind::FillOrKill)
    }
}

/// The account and its market before the order.
struct Before {
    report: MarginReport,
    cash: i64,
    lots: Lots,
    open_interest: i64,
}

impl Before {
    fn new(
        revaluation: &mut Revaluation,
        account: &RefMut<MarginAccount>,
        market: &Market,
        venue: &Venue,
    ) -> Result<Before> {
        Ok(Before {
            report: revaluation.evaluate(account)?,
            cash: account.cash,
            lots: Lots(account.position(venue.index).map_or(0, |held| held.lots)),
            open_interest: market.open_interest,
        })
    }

    /// Judges the account by its margin before and after all fills. What rests is new risk, unless it may only reduce: that is judged when it
    /// trades, and only keeps an account under its maintenance margin from resting it, whose orders would have to be cancelled first.
    #[inline(never)]
    fn judge(&self, parties: &mut Counterparties, order: &Order, filled: i64, resting: i64) -> Result<()> {
        let (venue, account) = (parties.venue, &*parties.taker.account);
        let rests = resting > 0;
        if parties.market.open_interest > self.open_interest {
            check_market_open_interest(venue.board, venue.instrument, parties.market)?;
        }
        let report = &self.report;
        let below = report.is_liquidatable() || report.equity_maintenance < report.maintenance;
        ensure!(!(rests && below), BallastError::BelowMaintenance);
        let adds = rests && !order.args.reduce_only;
        if filled == 0 && !adds {
            return Ok(());
        }
        let fill = Fill {
            at: 0,
            before: self.lots,
            after: Lots(account.position(venue.index).map_or(0, |held| held.lots)),
            dust: 0,
        };
        if filled > 0 {
            check_last_funding(venue.board, account, venue.now)?;
        }
        if filled > 0 && !fill.reduces() {
            check_owner_open_interest(venue.board, venue.instrument, parties.taker.owner)?;
        }
        let after = match filled == 0 && account.cash == self.cash {
            true => self.report,
            false => parties.revaluation.evaluate(account)?,
        };
        let facts = TradeFacts {
            reduces: !adds && fill.reduces(),
            cost: parties.taker.cost,
            order_reserve: Dollars(account.order_reserve),
            quote_trusted: venue.board.quote_state(venue.now).1,
            reduces_on_book: order.args.reduce_only && order.is_immediate(),
        };
        judge(report, &after, &facts).or_error()?.or_error()?;
        if account.cash < self.cash {
            check_cash(venue.board, account, &after)?;
        }
        Ok(())
    }
}

fn refusal(error: MatchError<Error>) -> Error {
    match error {
        MatchError::WouldCross => fail(BallastError::WouldTrade),
        MatchError::NotFilled => fail(BallastError::NotFilled),
        MatchError::Overfilled => fail(BallastError::MathOverflow),
        MatchError::Book(error) => fail(error.into()),
        MatchError::Makers(error) => error,
    }
}
