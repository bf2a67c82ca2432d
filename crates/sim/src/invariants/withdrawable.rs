//! C3: only a deposit or a realised gain raises what can be withdrawn; nobody's principal falls by another's action.
//!
//! What can be withdrawn is measured by E_w, which counts no paper gain. A requirement that falls because risk was taken off frees what was
//! there before, and is no gain.
use anchor_lang::prelude::Pubkey;
use ballast::state::{Instrument, MarginAccount, Position, POSITION_RESERVE};
use ballast_fixed::{Quantity, QuoteAmount, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::Expiry;

use super::figures::{ceil, floor, reduces, worth, DOLLARS, ONE, QUOTE};
use super::orders::Placed;
use super::{equal, fees, holds, Action, Broken, Change, Invariant, Leg, Moment, Party, Picture};

const C3: Invariant = Invariant::C3;

/// Checks a change. `parties` are the accounts that it may touch, in the order of [`Action::parties`].
pub fn check(change: &Change, parties: &[Party]) -> Result<(), Broken> {
    bystanders(change)?;
    wallets(change)?;
    commons(change)?;
    match (change.action, parties) {
        (Action::Deposit { mint, amount, .. }, [party]) => deposited(change, party, mint, *amount),
        (Action::Withdraw { mint, amount, .. }, [party]) => withdrawn(change, party, mint, *amount),
        (Action::Settle { instruments, .. }, [party]) => settled(party, instruments),
        (Action::SettleExpiry { instrument, .. }, [party]) => expired(party, *instrument),
        (Action::WaiveClaim { instrument, .. }, [party]) => waived(party, *instrument),
        (Action::Flag { .. } | Action::Unflag { .. } | Action::SetMethod { .. }, [party]) => marked(party),
        (Action::Trade { legs, .. }, [taker, maker]) => {
            let other = |leg: &Leg| Leg {
                lots: -leg.lots,
                ..*leg
            };
            fees::traded(change, taker, maker, legs)?;
            traded(taker, legs, fees::rates(&taker.before).0)?;
            let others: Vec<Leg> = legs.iter().map(other).collect();
            traded(maker, &others, fees::rates(&maker.before).1)
        }
        (
            Action::Place {
                instrument,
                order,
                makers: keys,
                ..
            },
            [taker, makers @ ..],
        ) => {
            let placed = Placed {
                instrument: *instrument,
                order,
                taker,
                makers,
            };
            placed.as_asked(change, keys)
        }
        (Action::Cancel { .. } | Action::Reconcile { .. }, [party]) => cancelled(party, 0),
        (Action::CancelStale { cranker, .. }, parties) => swept(cranker.is_some(), parties),
        (Action::SetReferrer { .. }, [party]) => fees::referred(party),
        (Action::ClaimReferral { .. }, [account, referrer]) => fees::claimed(change, account, referrer),
        (Action::Liquidate { legs, .. }, [account, keeper]) => {
            let instruments: Vec<usize> = legs.iter().map(|(instrument, _)| *instrument).collect();
            taken_over(account, keeper, &instruments)
        }
        _ => Ok(()),
    }
}

/// Whoever has no part in an action has all that he had; what is opened or closed is empty.
fn bystanders(change: &Change) -> Result<(), Broken> {
    let parties = change.action.parties();
    for (key, account) in &change.before.accounts {
        if !parties.contains(key) {
            let same = change.after.holds(key, account);
            holds(C3, "an account that has no part in it stays as it is", same)?;
        } else if !change.after.accounts.contains_key(key) {
            let closed = matches!(change.action, Action::Close { .. });
            holds(C3, "only an empty account is closed", closed && is_empty(account))?;
        }
    }
    for (key, account) in &change.after.accounts {
        let is_new = !change.before.accounts.contains_key(key);
        let opened = matches!(change.action, Action::Open { account } if account == key);
        holds(
            C3,
            "a new account is opened, and empty",
            !is_new || (opened && is_empty(account)),
        )?;
    }
    Ok(())
}

fn is_empty(account: &MarginAccount) -> bool {
    (account.cash, account.reserve, account.position_count) == (0, 0, 0)
        && account.balances.iter().all(|balance| balance.amount == 0)
}

/// Tokens leave a wallet only into what it deposits or gives, and reach one only as what it withdraws.
fn wallets(change: &Change) -> Result<(), Broken> {
    let owner = |account: &Pubkey| change.before.accounts.get(account).map_or(*account, |a| a.wallet);
    let moved = match change.action {
        Action::Deposit { account, mint, amount } => Some((owner(account), *mint, -i128::from(*amount))),
        Action::Withdraw { account, mint, amount } => Some((owner(account), *mint, i128::from(*amount))),
        Action::FundInsurance { wallet, amount } => {
            Some((*wallet, change.before.exchange.quote_mint, -i128::from(*amount)))
        }
        _ => None,
    };
    let (before, after) = (&change.before.wallets, &change.after.wallets);
    for key in before.keys().chain(after.keys()) {
        let amount = |of: &std::collections::BTreeMap<_, u64>| i128::from(of.get(key).copied().unwrap_or(0));
        let expected = moved.filter(|(wallet, mint, _)| (*wallet, *mint) == *key);
        let expected = expected.map_or(0, |(_, _, amount)| amount);
        equal(C3, "what a wallet gets", amount(after) - amount(before), expected)?;
    }
    Ok(())
}

/// The fund and the collected fees never shrink. Prices move by a refresh alone, and money by nothing that only reads or marks.
fn commons(change: &Change) -> Result<(), Broken> {
    let (before, after) = (change.before, change.after);
    holds(
        C3,
        "no action lowers the fund",
        after.fund.balance >= before.fund.balance,
    )?;
    let fees = (before.pool.collected_fees, after.pool.collected_fees);
    let claims = matches!(change.action, Action::ClaimReferral { .. });
    holds(
        C3,
        "only a referrer lowers the collected fees",
        claims || fees.1 >= fees.0,
    )?;
    if let Action::FundInsurance { amount, .. } = change.action {
        let grown = i128::from(after.fund.balance) - i128::from(before.fund.balance);
        equal(C3, "what the fund gets", grown, (*amount).into())?;
    }
    let same = |a: &[u8], b: &[u8]| a == b;
    let exchange = same(
        bytemuck::bytes_of(&*before.exchange),
        bytemuck::bytes_of(&*after.exchange),
    );
    let closes = matches!(change.action, Action::CloseInstrument { .. });
    holds(C3, "the exchange's parameters stay", closes || exchange)?;
    let board = same(bytemuck::bytes_of(&*before.board), bytemuck::bytes_of(&*after.board));
    let refreshes = closes || matches!(change.action, Action::Refresh | Action::UpdateFunding { .. });
    holds(
        C3,
        "only a price, funding or an ending moves the board",
        refreshes || board,
    )?;
    let only_reads = matches!(
        change.action,
        Action::Open { .. }
            | Action::Close { .. }
            | Action::Quotes
            | Action::SetReferrer { .. }
            | Action::Refresh
            | Action::UpdateFunding { .. }
            | Action::Preview
            | Action::Flag { .. }
            | Action::Unflag { .. }
            | Action::SetMethod { .. }
    );
    if let Action::UpdateFunding { instrument } = *change.action {
        return funded(before, after, instrument);
    }
    holds(C3, "no money moves", !only_reads || before.has_same_money(after))
}

/// Funding moves its own perpetual's numbers on the board and in the market, and nothing else.
fn funded(before: &Picture, after: &Picture, instrument: usize) -> Result<(), Broken> {
    let mut same = after.clone();
    same.markets[instrument].premium = before.markets[instrument].premium;
    holds(C3, "no money moves", before.has_same_money(&same))?;
    let was = &before.board.instruments[instrument];
    let listed = &mut same.board.instruments[instrument];
    listed.basis = was.basis;
    (listed.funding_index, listed.funding_rate) = (was.funding_index, was.funding_rate);
    listed.funding_hour = was.funding_hour;
    let board = bytemuck::bytes_of(&*before.board) == bytemuck::bytes_of(&*same.board);
    holds(C3, "funding moves its perpetual alone", board)
}

/// What was taken outside is credited, to the unit, and nothing else changes.
fn deposited(change: &Change, party: &Party, mint: &Pubkey, amount: u64) -> Result<(), Broken> {
    moved_in(change, party, mint, amount.into())?;
    let is_quote = *mint == change.before.exchange.quote_mint;
    let cash = party.after.account.cash - party.before.account.cash;
    holds(C3, "cash stays", is_quote || cash == 0)?;
    holds(C3, "positions stay", party.keeps_other_positions(&[]))
}

/// What leaves the account leaves what it can withdraw; a loss that settles first takes nothing out of a pool.
fn withdrawn(change: &Change, party: &Party, mint: &Pubkey, amount: u64) -> Result<(), Broken> {
    let is_quote = *mint == change.before.exchange.quote_mint;
    if is_quote {
        let claim = party.after.claim() - party.before.claim();
        equal(C3, "the claim", claim, -i128::from(amount))?;
        holds(C3, "balances stay", party.keeps_balances())?;
    } else {
        moved_in(change, party, mint, -i128::from(amount))?;
        equal(C3, "the claim", party.after.claim(), party.before.claim())?;
    }
    holds(C3, "lots stay", party.keeps_lots())?;
    for position in party.before.account.positions() {
        let left = party.after.quote(position.instrument.into());
        let gained = left < position.quote;
        holds(C3, "a withdrawal realises no gain", !gained)?;
        may_settle(&party.before, position, left)?;
    }
    no_more_than(party, party.before.owed(POSITION_RESERVE.0.into()))
}

/// An amount of one collateral reached the account (left it, when negative), and none of another.
fn moved_in(change: &Change, party: &Party, mint: &Pubkey, amount: i128) -> Result<(), Broken> {
    let listed = change.before.collateral(mint).map(|(listed, _)| listed);
    let is_quote = *mint == change.before.exchange.quote_mint;
    for (other, _) in change.before.collaterals.iter().filter(|(c, _)| !c.is_quote()) {
        let held = |account: &MarginAccount| -> i128 {
            let of_it = account.balances.iter().filter(|b| b.collateral == other.index);
            of_it.map(|b| i128::from(b.amount)).sum()
        };
        let is_it = listed.is_some_and(|listed| listed.index == other.index);
        let moved = held(&party.after.account) - held(&party.before.account);
        equal(C3, "a balance", moved, if is_it { amount } else { 0 })?;
    }
    if is_quote {
        equal(C3, "the claim", party.after.claim() - party.before.claim(), amount)?;
    }
    Ok(())
}

/// Settling shifts within the account, and gains no more than it takes out of the pools.
fn settled(party: &Party, instruments: &[usize]) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    equal(C3, "the claim", after.claim(), before.claim())?;
    holds(C3, "lots stay", party.keeps_lots())?;
    holds(C3, "balances stay", party.keeps_balances())?;
    let mut realised = 0;
    for position in before.account.positions() {
        let left = after.quote(position.instrument.into());
        let named = instruments.contains(&position.instrument.into());
        holds(
            C3,
            "a position that is not named stays",
            named || left == position.quote,
        )?;
        may_settle(before, position, left)?;
        realised += i128::from((position.quote - left).max(0));
    }
    let equity = i128::from(after.report.equity_maintenance.0) - i128::from(before.report.equity_maintenance.0);
    let reserve = before.owed(POSITION_RESERVE.0.into());
    holds(C3, "equity stays", (0..=reserve).contains(&equity))?;
    no_more_than(party, before.owed(realised) + reserve)
}

/// A position in an ended instrument loses its lots for what they pay, rounded down, and nothing else changes.
fn expired(party: &Party, instrument: usize) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    let price = before.picture.settled(instrument);
    holds(C3, "what settles has a settlement price", price.is_some())?;
    let lot_size = before.picture.board.instruments[instrument].lot_size;
    let paid = floor(worth(before.lots(instrument), lot_size, price.unwrap_or(0)), QUOTE);
    equal(C3, "the claim", after.claim(), before.claim() + paid)?;
    equal(C3, "lots that are left", after.lots(instrument).into(), 0)?;
    holds(C3, "other positions stay", party.keeps_other_positions(&[instrument]))?;
    holds(C3, "balances stay", party.keeps_balances())?;
    // What was paid and what it settled for, neither ever past nothing.
    let (whole, left) = (
        i128::from(before.quote(instrument)) + paid,
        i128::from(after.quote(instrument)),
    );
    let shrinks = (whole.min(0)..=whole.max(0)).contains(&left);
    holds(C3, "a position settles towards nothing", shrinks)?;
    let reserve = before.owed(POSITION_RESERVE.0.into());
    no_more_than(party, before.owed((whole - left).max(0)) + reserve)
}

/// A gain that waits in a position without lots is paid or given up, and nothing else changes.
fn waived(party: &Party, instrument: usize) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    holds(C3, "what is waived holds no lots", before.lots(instrument) == 0)?;
    let claim = i128::from(before.quote(instrument));
    let given_up = before.claim() - after.claim();
    holds(
        C3,
        "no more is given up than was claimed",
        (0..=claim).contains(&given_up),
    )?;
    equal(C3, "what is left of the claim", after.quote(instrument).into(), 0)?;
    holds(C3, "other positions stay", party.keeps_other_positions(&[instrument]))?;
    holds(C3, "balances stay", party.keeps_balances())?;
    no_more_than(party, before.owed(claim - given_up + i128::from(POSITION_RESERVE.0)))
}

/// A position with lots settles only at a fresh price that is within 1 % of the slow one; an option at any time, and its quote alone.
fn may_settle(moment: &Moment, position: &Position, left: i64) -> Result<(), Broken> {
    if moment.picture.settled(position.instrument.into()).is_some() {
        return Ok(());
    }
    if position.is_open_option() {
        let (low, high) = (position.quote.min(0), position.quote.max(0));
        return holds(C3, "an option settles its quote alone", (low..=high).contains(&left));
    }
    let price = &moment.picture.board.assets[usize::from(position.asset)].price;
    let gap = i128::from(price.index) - i128::from(price.slow);
    let agrees = gap.abs() * 100 <= i128::from(price.index);
    let fine =
        left == position.quote || position.lots == 0 || (moment.picture.is_fresh(position.instrument.into()) && agrees);
    holds(C3, "what settles has a price to settle at", fine)
}

/// A flag changes nothing but itself.
fn marked(party: &Party) -> Result<(), Broken> {
    let mut same = *party.after.account;
    (same.flag, same.sequence) = (party.before.account.flag, party.before.account.sequence);
    same.method = party.before.account.method;
    let unchanged = bytemuck::bytes_of(&same) == bytemuck::bytes_of(&*party.before.account);
    holds(C3, "only the flag or the method changes", unchanged)
}

/// Each side gets its lots, pays what was agreed and its fee, rounded against it, and gains no more than its prices are better than the
/// marks, and a rebate.
fn traded(party: &Party, legs: &[Leg], fee_ppm: i128) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    let mut rebates = 0;
    for leg in legs {
        let moved = i128::from(after.lots(leg.instrument)) - i128::from(before.lots(leg.instrument));
        equal(C3, "lots that moved", moved, leg.lots.into())?;
        let listed = &before.picture.board.instruments[leg.instrument];
        let notional = worth(leg.lots, listed.lot_size, leg.price);
        let fee = fees::fee(before.picture, leg, fee_ppm);
        rebates -= fee.min(0);
        let got = i128::from(after.quote(leg.instrument)) - i128::from(before.quote(leg.instrument));
        equal(C3, "quote for the lots", got, floor(-notional, QUOTE) - fee)?;
    }
    let instruments: Vec<usize> = legs.iter().map(|leg| leg.instrument).collect();
    holds(C3, "other positions stay", party.keeps_other_positions(&instruments))?;
    holds(C3, "balances stay", party.keeps_balances())?;
    equal(C3, "cash and reserve", after.balance(), before.balance())?;
    better_than_marks(party, legs, rebates)
}

/// Positions and collateral stay, and so does what the account has in cash and reserve, `bounty` quote units paid of it aside.
fn cancelled(party: &Party, bounty: i128) -> Result<(), Broken> {
    holds(C3, "positions stay", party.keeps_other_positions(&[]))?;
    holds(C3, "balances stay", party.keeps_balances())?;
    let paid = party.before.balance() - party.after.balance();
    equal(C3, "what cancelling costs", paid, bounty)
}

/// Each account pays at most two cents an order, out of its locked reserve alone; the cranker, who comes last, gets what they pay.
fn swept(paid: bool, parties: &[Party]) -> Result<(), Broken> {
    let (accounts, cranker) = match parties.split_last() {
        Some((cranker, accounts)) if paid => (accounts, Some(cranker)),
        _ => (parties, None),
    };
    let mut bounties = 0;
    let is = |party: &Party| (party.before.account.wallet, party.before.account.index);
    // Who sweeps his own account along pays nothing for it.
    let own = cranker.map(is);
    for party in accounts.iter().filter(|party| Some(is(party)) != own) {
        let (before, after) = (&party.before.account, &party.after.account);
        let count =
            |account: &MarginAccount| i128::from(account.orders.iter().filter(|o| o.sequence != 0).count() as u64);
        let bounty = party.before.balance() - party.after.balance();
        let most = (count(before) - count(after)) * 20_000;
        let within = (0..=most.min(before.reserve.into())).contains(&bounty);
        holds(C3, "a bounty is two cents an order, out of the reserve", within)?;
        cancelled(party, bounty)?;
        bounties += bounty;
    }
    cranker.map_or(Ok(()), |cranker| cancelled(cranker, -bounties))
}

/// The lots go over at the mark; the keeper has no more of it than the bounty.
fn taken_over(account: &Party, keeper: &Party, instruments: &[usize]) -> Result<(), Broken> {
    for party in [account, keeper] {
        holds(C3, "other positions stay", party.keeps_other_positions(instruments))?;
        holds(C3, "balances stay", party.keeps_balances())?;
    }
    let (mut given, mut taken, mut received) = (Vec::new(), Vec::new(), 0);
    for &instrument in instruments {
        let (held, left) = (account.before.lots(instrument), account.after.lots(instrument));
        holds(C3, "a take-over reduces", reduces(held, left))?;
        let lots = held - left;
        let moved = keeper.after.lots(instrument) - keeper.before.lots(instrument);
        equal(C3, "lots that went over", moved.into(), lots.into())?;
        let listed = &account.before.picture.board.instruments[instrument];
        let price = mark(account.before.picture, instrument)?;
        received += ceil(worth(lots, listed.lot_size, price), QUOTE);
        let leg = |lots| Leg {
            instrument,
            lots,
            price,
        };
        given.push(leg(-lots));
        taken.push(leg(lots));
    }
    let cost = received - (account.after.claim() - account.before.claim());
    let bounty = received + keeper.after.claim() - keeper.before.claim();
    holds(C3, "a bounty is paid out of the cost", (0..=cost).contains(&bounty))?;
    // Every leg's price is rounded by less than a quote unit.
    better_than_marks(account, &given, instruments.len() as i128)?;
    better_than_marks(keeper, &taken, bounty)
}

/// What lots add to E_w is at most what their prices were better than the marks, `more` quote units, and a reserve that came free.
/// Fresh prices and surfaces only: what a stale one may be off by shrinks with the position, or with what another option hedges of it.
pub(super) fn better_than_marks(party: &Party, legs: &[Leg], more: i128) -> Result<(), Broken> {
    let picture = party.before.picture;
    let mut held = party.before.account.positions().iter();
    let stale = |position: &Position| position.is_open_option() && !picture.is_fresh(position.instrument.into());
    if held.any(stale) || legs.iter().any(|leg| !picture.is_fresh(leg.instrument)) {
        return Ok(());
    }
    let mut better = 0;
    for leg in legs {
        let listed = &picture.board.instruments[leg.instrument];
        let gain = |mark| worth(leg.lots, listed.lot_size, mark) - worth(leg.lots, listed.lot_size, leg.price);
        // What another leg loses may only lower a paper gain.
        let gains = equity_marks(picture, leg.instrument)?.into_iter().map(gain);
        better += gains.max().unwrap_or(0).max(0);
    }
    let better = ceil(ceil(better, DOLLARS) * picture.dear(), ONE);
    no_more_than(party, better + party.before.owed(more + i128::from(POSITION_RESERVE.0)))
}

fn no_more_than(party: &Party, bound: i128) -> Result<(), Broken> {
    let gained = party.after.withdrawable - party.before.withdrawable;
    let what = format!("what can be withdrawn rises by {gained} where {bound} is the most");
    holds(C3, &what, gained <= bound)
}

/// The mark of an instrument.
pub(super) fn mark(picture: &Picture, instrument: usize) -> Result<i64, Broken> {
    let listed = &picture.board.instruments[instrument];
    Ok(picture.board.mark(listed, picture.now).map_err(no_mark)?.0)
}

/// The marks at the index and at the slow price, an option's on the surface now and on its slow mean, with the volatility of its moneyness
/// there.
pub(super) fn marks(picture: &Picture, instrument: usize) -> Result<Vec<i64>, Broken> {
    let listed = &picture.board.instruments[instrument];
    if let Some(price) = picture.settled(instrument) {
        return Ok(vec![price]);
    }
    if listed.is_option() {
        return option_marks(picture, listed, |_, surface| surface);
    }
    let slow = picture.board.slow_mark(listed, picture.now).map_err(no_mark)?;
    Ok(vec![mark(picture, instrument)?, slow.0])
}

/// An option's marks where E_im and E_w take it: at the slow price with the volatility of its moneyness at the index.
fn equity_marks(picture: &Picture, instrument: usize) -> Result<Vec<i64>, Broken> {
    let listed = &picture.board.instruments[instrument];
    if !listed.is_option() || picture.settled(instrument).is_some() {
        return marks(picture, instrument);
    }
    let same = |expiry: &Expiry, surface: Surface| {
        Surface::flat(volatility(&surface, expiry.seconds, listed.strike, expiry.forward.0))
    };
    option_marks(picture, listed, same)
}

/// An option's marks on both surfaces at both forwards; `at_slow` is the surface that holds at the slow one.
fn option_marks(
    picture: &Picture,
    listed: &Instrument,
    at_slow: impl Fn(&Expiry, Surface) -> Surface,
) -> Result<Vec<i64>, Broken> {
    let asset = &picture.board.assets[usize::from(listed.asset)];
    let expiry = asset.expiry(listed).and_then(|e| e.risk(&asset.price, picture.now));
    let expiry = expiry.map_err(no_mark)?;
    let leg = listed.option_leg(Quantity(0), QuoteAmount::ZERO);
    let mut marks = Vec::new();
    for surface in [expiry.surface, expiry.slow_surface] {
        for (forward, surface) in [
            (expiry.forward, surface),
            (expiry.slow_forward, at_slow(&expiry, surface)),
        ] {
            let at = Expiry {
                forward,
                surface,
                ..expiry
            };
            marks.push(at.option_mark(&leg).map_err(no_mark)?.0);
        }
    }
    Ok(marks)
}

/// σ of a strike at a forward (margin.md section 5), 10⁻⁹: what a mark that decides nothing needs of it.
fn volatility(surface: &Surface, seconds: i64, strike: i64, forward: i64) -> Ratio {
    let part = |ratio: Ratio| ratio.0 as f64 / ONE as f64;
    let years = seconds.max(3_600) as f64 / 31_536_000.0;
    let z = (strike as f64 / forward as f64).ln() / (part(surface.at_the_money) * years.sqrt());
    let z = z.clamp(-3.0, 3.0);
    let sigma = part(surface.at_the_money) * (1.0 + part(surface.skew) * z + part(surface.curvature) * z * z);
    let sigma = sigma
        .max((part(surface.variance_floor) / years).sqrt())
        .clamp(0.05, 4.0);
    Ratio((sigma * ONE as f64).round() as i64)
}

fn no_mark(error: impl std::fmt::Display) -> Broken {
    Broken {
        invariant: C3,
        what: format!("an instrument has no mark: {error}"),
    }
}
