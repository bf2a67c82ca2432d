//! C4: after new risk E_im ≥ IM + order reserve; after a withdrawal E_w ≥ IM + order reserve; after a reduction under the initial margin the
//! rule of margin.md section 4 held; whatever lowers cash leaves it at or over −Σ credit and within the borrow caps.
use ballast::margin::{evaluate_with, QuoteRule};

use super::figures::{ceil, reduces, worth, DOLLARS, MILLION, QUOTE};
use super::orders::Placed;
use super::withdrawable::{mark, marks};
use super::{holds, Action, Broken, Change, Invariant, Leg, Moment, Party, Picture};

const C4: Invariant = Invariant::C4;
/// E_im asked for after a trade that adds risk: $10.
const MINIMUM_EQUITY: i64 = 1_000_000_000;

/// Checks a change; whether it was one that this invariant is about.
pub fn check(change: &Change, parties: &[Party]) -> Result<bool, Broken> {
    match (change.action, parties) {
        (Action::Withdraw { mint, .. }, [party]) => {
            withdrawn(party, *mint == change.before.exchange.quote_mint)?;
        }
        (Action::Trade { legs, .. }, [taker, maker]) => {
            for leg in legs {
                priced(change.before, leg.instrument, leg.price)?;
                let both = shrinks(taker, leg.instrument) && shrinks(maker, leg.instrument);
                tradable(change.before, leg.instrument, both)?;
            }
            for party in [taker, maker] {
                traded(party, legs, legs.iter().all(|leg| shrinks(party, leg.instrument)))?;
            }
        }
        (Action::Liquidate { .. }, [_, keeper]) => {
            let carries = keeper.after.initial_surplus() >= 0;
            holds(C4, "E_im of who takes over covers IM", carries)?;
            let sound = keeper.after.liquidation_surplus() >= 0;
            holds(C4, "who takes over is not liquidatable", sound)?;
        }
        (Action::SetMethod { .. }, [party]) => {
            chosen(party)?;
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
            placed.is_covered(change, keys)?;
        }
        (Action::WaiveClaim { .. }, [party]) => {
            let carried = party.after.initial_surplus() >= 0 && party.after.liquidation_surplus() >= 0;
            holds(C4, "E_im covers IM without what is waived", carried)?;
        }
        (Action::Settle { .. } | Action::SettleExpiry { .. }, _) => {}
        _ => return Ok(false),
    }
    for party in parties {
        indebted(party)?;
    }
    Ok(true)
}

/// Whether E ≥ 1.10 · MM, a dead price's paper profit aside.
fn is_healthy(moment: &Moment) -> bool {
    let report = &moment.report;
    let equity = report.equity_maintenance.min(report.equity_liquidation);
    i128::from(equity.0) * 10 >= i128::from(report.maintenance.0) * 11
}

/// A method is carried before and after; less caution is new risk on whatever is open.
fn chosen(party: &Party) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    let carried = |moment: &Moment| moment.initial_surplus() >= 0 && moment.liquidation_surplus() >= 0;
    let both = carried(before) && carried(after);
    holds(C4, "E_im covers IM by the old method and by the new one", both)?;
    if after.account.method >= before.account.method {
        return Ok(());
    }
    holds(C4, "less caution needs a health of 1.1", is_healthy(before))?;
    let picture = after.picture;
    let trusted = picture.trusts_quote();
    holds(C4, "less caution needs a quote asset at par", trusted)?;
    let enough = after.report.equity_initial.0 >= MINIMUM_EQUITY;
    holds(C4, "less caution needs the least equity", enough)?;
    let mut open = after.account.positions().iter().filter(|p| p.lots != 0);
    let fresh = open.all(|p| picture.is_fresh(usize::from(p.instrument)));
    holds(C4, "less caution needs fresh prices and surfaces", fresh)
}

/// What lowers cash leaves it within credit; what goes deeper into debt stays within the caps of the account, of all accounts and of what
/// is supplied.
fn indebted(party: &Party) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    let lowered = after.account.cash < before.account.cash;
    holds(
        C4,
        "cash that is lowered stays within credit",
        !lowered || after.is_within_credit(0),
    )?;
    if after.balance() >= before.balance().min(0) {
        return Ok(());
    }
    let limits = &after.picture.exchange.limits;
    let (supplied, borrowed) = loans(after.picture);
    let own = -after.balance() <= i128::from(limits.account_borrow_cap);
    holds(C4, "the debt is within the account's cap", own)?;
    let total = borrowed <= i128::from(limits.total_borrow_cap);
    holds(C4, "all debts are within their cap", total)?;
    let used = borrowed * MILLION <= supplied * i128::from(limits.max_utilisation_ppm);
    holds(C4, "no more is lent than may be of what is supplied", used)
}

/// Σ of positive and of negative balances, quote units.
fn loans(picture: &Picture) -> (i128, i128) {
    let balances = picture
        .accounts
        .values()
        .map(|a| i128::from(a.cash) + i128::from(a.reserve));
    balances.fold((0, 0), |(supplied, borrowed), balance| {
        (supplied + balance.max(0), borrowed + (-balance).max(0))
    })
}

/// E_w ≥ IM + order reserve, cash within credit with all that is owed on losing positions, and no loan in a quote asset that is not trusted.
fn withdrawn(party: &Party, is_quote: bool) -> Result<(), Broken> {
    let after = &party.after;
    let rule = if is_quote {
        QuoteRule::Trusted
    } else {
        QuoteRule::ByFeed
    };
    let picture = after.picture;
    let report = evaluate_with(&picture.board, &after.account, picture.now, rule).map_err(|error| Broken {
        invariant: C4,
        what: format!("a margin can't be computed: {error}"),
    })?;
    let required = i128::from(report.initial.0) + i128::from(after.account.order_reserve);
    let covered = i128::from(report.equity_withdrawal.0) >= required;
    holds(C4, "E_w covers IM after a withdrawal", covered)?;
    holds(
        C4,
        "no withdrawal leaves an account liquidatable",
        after.liquidation_surplus() >= 0,
    )?;
    let backed = after.is_within_credit(losses(after)?);
    holds(C4, "cash and losses stay within credit after a withdrawal", backed)?;
    let lent = is_quote && after.balance() < 0;
    holds(C4, "nothing is lent off its par", !lent || picture.trusts_quote())
}

/// What the account owes on its positions at the worst of their marks, quote units rounded up.
fn losses(moment: &Moment) -> Result<i128, Broken> {
    let board = &moment.picture.board;
    let mut sum = 0;
    for position in moment.account.positions() {
        let instrument = usize::from(position.instrument);
        let listed = &board.instruments[instrument];
        let mut worst = i128::from(position.quote) * QUOTE;
        if position.lots != 0 {
            let at = |price| i128::from(position.quote) * QUOTE + worth(position.lots, listed.lot_size, price);
            let values = marks(moment.picture, instrument)?.into_iter().map(at);
            worst = values.min().unwrap_or(worst);
        }
        sum += ceil((-worst).max(0), QUOTE);
    }
    Ok(sum)
}

/// A trade's price lies within the band around the mark, an option's at least within that of a tenth of the index.
fn priced(picture: &Picture, instrument: usize, price: i64) -> Result<(), Broken> {
    let mark = i128::from(mark(picture, instrument)?);
    let gap = (i128::from(price) - mark).abs();
    let band = i128::from(picture.exchange.limits.price_band_ppm);
    let listed = &picture.board.instruments[instrument];
    let mut base = mark * 10;
    if listed.is_option() {
        base = base.max(picture.board.assets[usize::from(listed.asset)].price.index.into());
    }
    let within = price > 0 && gap * MILLION * 10 <= base * band;
    holds(C4, "the price lies within the band", within)
}

/// What has ended is not traded; a stale instrument is only reduced, and by both.
pub(super) fn tradable(picture: &Picture, instrument: usize, both_reduce: bool) -> Result<(), Broken> {
    let listed = &picture.board.instruments[instrument];
    let end = listed.expiry.max(listed.ends_at);
    holds(C4, "only what has not ended is traded", end == 0 || picture.now < end)?;
    let fine = both_reduce || picture.is_fresh(instrument);
    holds(C4, "only what has a fresh price is opened", fine)
}

fn shrinks(party: &Party, instrument: usize) -> bool {
    reduces(party.before.lots(instrument), party.after.lots(instrument))
}

/// What one side of a trade must be good for, before and after all of its legs; `reduces` says whether it only reduces.
pub(super) fn traded(party: &Party, legs: &[Leg], reduces: bool) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    holds(C4, "who trades is not under MM", before.maintenance_surplus() >= 0)?;
    if before.liquidation_surplus() < 0 {
        // Only a dead price lifts it over MM: that shields nothing, and blocks no exit.
        holds(C4, "who is liquidatable only reduces", reduces)?;
        return reduced(party, legs);
    }
    let covered = after.initial_surplus() >= 0 && after.liquidation_surplus() >= 0;
    if reduces {
        return if covered { Ok(()) } else { reduced(party, legs) };
    }
    holds(C4, "who adds risk has a health of 1.1", is_healthy(before))?;
    holds(
        C4,
        "who adds risk does so on a quote asset at par",
        before.picture.trusts_quote(),
    )?;
    holds(C4, "E_im covers IM and the order reserve after new risk", covered)?;
    let enough = after.report.equity_initial.0 >= MINIMUM_EQUITY;
    holds(C4, "E_im is $10 or more after new risk", enough)
}

/// A reduction under the initial margin: neither surplus falls, equity is left, and no more than 30 % of the MM freed is lost.
pub(super) fn reduced(party: &Party, legs: &[Leg]) -> Result<(), Broken> {
    let (before, after) = (&party.before, &party.after);
    let worse = after.maintenance_surplus() < before.maintenance_surplus()
        || after.initial_surplus() < before.initial_surplus();
    holds(C4, "a reduction under IM worsens no surplus", !worse)?;
    let equity = after.report.equity_maintenance.0;
    holds(C4, "a reduction under IM leaves equity", equity >= 0)?;
    let mut lost = 0;
    for leg in legs {
        let instrument = leg.instrument;
        let lot_size = before.picture.board.instruments[instrument].lot_size;
        let got = i128::from(after.quote(instrument)) - i128::from(before.quote(instrument));
        let lots = after.lots(instrument) - before.lots(instrument);
        lost -= got * QUOTE + worth(lots, lot_size, mark(before.picture, instrument)?);
    }
    let freed = i128::from(before.report.maintenance.0) - i128::from(after.report.maintenance.0);
    let honest = lost <= 0 || lost * 10 <= freed * DOLLARS * 3;
    holds(C4, "a reduction under IM loses at most 30 % of the MM freed", honest)
}
