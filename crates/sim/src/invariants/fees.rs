//! Fees, volume and what referrers are owed, worked out from the schedule once more: day by day and tier by tier.
use anchor_lang::prelude::Pubkey;
use ballast::state::{FeeSchedule, MarginAccount, Volume};

use super::figures::{ceil, floor, worth, MILLION, ONE, QUOTE};
use super::{equal, holds, Action, Broken, Change, Invariant, Leg, Moment, Party, Picture};

const C2: Invariant = Invariant::C2;
const C3: Invariant = Invariant::C3;
const SECONDS_A_DAY: i64 = 86_400;
const DAYS: i64 = 30;

/// Whole dollars of the thirty days that end today.
fn volume(volume: &Volume, now: i64) -> i128 {
    let today = now.div_euclid(SECONDS_A_DAY);
    let kept = (today - DAYS + 1).max(volume.day - DAYS + 1)..=today.min(volume.day);
    kept.map(|day| i128::from(volume.daily[day.rem_euclid(DAYS) as usize]))
        .sum()
}

/// 10⁻⁶ that the account pays as a taker and as a maker.
pub fn rates(moment: &Moment) -> (i128, i128) {
    let fees = &moment.picture.exchange.fees;
    let traded = volume(&moment.account.volume, moment.picture.now);
    let mut rates = (fees.taker_ppm.into(), fees.maker_ppm.into());
    for tier in fees.tiers.iter().filter(|tier| tier.min_volume > 0) {
        if traded >= tier.min_volume.into() {
            rates = (tier.taker_ppm.into(), tier.maker_ppm.into());
        }
    }
    rates
}

/// The fee of a leg, quote units: a rebate when negative.
pub fn fee(picture: &Picture, leg: &Leg, ppm: i128) -> i128 {
    let listed = &picture.board.instruments[leg.instrument];
    let notional = worth(leg.lots, listed.lot_size, leg.price).abs();
    ceil(notional * ppm, QUOTE * MILLION)
}

/// The fund's part of a leg's fees, and the referrer's part of what is left.
fn shares(fees: &FeeSchedule, taker: i128, maker: i128) -> (i128, i128) {
    let insurance = floor((taker + maker) * i128::from(fees.insurance_share_ppm), MILLION);
    let left = taker + maker - insurance;
    let referral = floor(taker * i128::from(fees.referrer_share_ppm), MILLION);
    (insurance, referral.min(left))
}

/// Both sides' volume grows by what they traded, what is paid goes to the market's dues, and a part of it is owed to the taker's referrer.
pub fn traded(change: &Change, taker: &Party, maker: &Party, legs: &[Leg]) -> Result<(), Broken> {
    let (picture, schedule) = (change.before, &change.before.exchange.fees);
    let (pays, _) = rates(&taker.before);
    let (_, is_paid) = rates(&maker.before);
    let (mut dollars, mut referrals) = (0, 0);
    for leg in legs {
        let (taken, made) = (fee(picture, leg, pays), fee(picture, leg, is_paid));
        let (insurance, referral) = shares(schedule, taken, made);
        let (before, after) = (&picture.markets[leg.instrument], &change.after.markets[leg.instrument]);
        let grown = i128::from(after.insurance_due) - i128::from(before.insurance_due);
        equal(C3, "the fund's part of the fees", grown, insurance)?;
        let grown = i128::from(after.fees_due) - i128::from(before.fees_due);
        equal(C3, "the exchange's part of the fees", grown, taken + made - insurance)?;
        let listed = &picture.board.instruments[leg.instrument];
        dollars += floor(worth(leg.lots, listed.lot_size, leg.price).abs(), ONE * ONE);
        referrals += referral;
    }
    for party in [taker, maker] {
        let now = picture.now;
        let grown = volume(&party.after.account.volume, now) - volume(&party.before.account.volume, now);
        equal(C3, "volume", grown, dollars)?;
    }
    let owed =
        |party: &Party| i128::from(party.after.account.referral_due) - i128::from(party.before.account.referral_due);
    let is_referred = taker.before.account.referrer != Pubkey::default();
    let expected = if is_referred { referrals } else { 0 };
    equal(C3, "what the taker's referrer is owed", owed(taker), expected)?;
    equal(C3, "what the maker's referrer is owed", owed(maker), 0)
}

/// 10⁻¹⁸ dollars of the lots that a party's fills have moved in an instrument at the lowest and at the highest of some prices.
fn notional(party: &Party, instrument: usize, prices: &[i64]) -> (i128, i128) {
    let lots = party.after.lots(instrument) - party.before.lots(instrument);
    let lot_size = party.before.picture.board.instruments[instrument].lot_size;
    let at = |price: Option<&i64>| price.map_or(0, |price| worth(lots, lot_size, *price).abs());
    (at(prices.iter().min()), at(prices.iter().max()))
}

/// The most that a party which has traded at these prices may have got in rebates, quote units: at the highest price and the best tier.
pub fn most_rebate(party: &Party, instrument: usize, prices: &[i64]) -> i128 {
    let fees = &party.before.picture.exchange.fees;
    let makers = fees.tiers.iter().map(|tier| tier.maker_ppm);
    let lowest = makers.chain([fees.maker_ppm]).min().unwrap_or(0);
    ceil(
        notional(party, instrument, prices).1 * i128::from(-lowest.min(0)),
        QUOTE * MILLION,
    )
}

/// The volume of a party of an order grows by what it traded at these prices, less than a dollar for each of at most 16 fills.
fn grows(party: &Party, instrument: usize, prices: &[i64]) -> Result<(), Broken> {
    let now = party.before.picture.now;
    let grown = volume(&party.after.account.volume, now) - volume(&party.before.account.volume, now);
    let (least, most) = notional(party, instrument, prices);
    let within = (floor(least, ONE * ONE) - 16..=floor(most, ONE * ONE)).contains(&grown);
    holds(C3, "volume of an order's fills", within && grown >= 0)
}

/// What an order that came in adds to its account's volume, and to what its referrer is owed.
pub fn taken(taker: &Party, instrument: usize, prices: &[i64]) -> Result<(), Broken> {
    grows(taker, instrument, prices)?;
    let (before, after) = (&taker.before.account, &taker.after.account);
    let owed = i128::from(after.referral_due) - i128::from(before.referral_due);
    let share = i128::from(taker.before.picture.exchange.fees.referrer_share_ppm);
    // Each of at most 16 fees is rounded up by less than a unit.
    let fee = ceil(
        notional(taker, instrument, prices).1 * rates(&taker.before).0,
        QUOTE * MILLION,
    ) + 16;
    let most = if before.referrer == Pubkey::default() {
        0
    } else {
        floor(fee * share, MILLION)
    };
    holds(C3, "what a referrer is owed of an order", (0..=most).contains(&owed))
}

/// What a resting order adds to its account's volume; its referrer is owed nothing of it.
pub fn made(maker: &Party, instrument: usize, prices: &[i64]) -> Result<(), Broken> {
    grows(maker, instrument, prices)?;
    let due = |moment: &Moment| i128::from(moment.account.referral_due);
    equal(
        C3,
        "what a maker's referrer is owed",
        due(&maker.after),
        due(&maker.before),
    )
}

/// A referrer is another wallet's account, and stays.
pub fn referred(party: &Party) -> Result<(), Broken> {
    let (before, after) = (&*party.before.account, &*party.after.account);
    holds(C3, "a referrer is named once", before.referrer == Pubkey::default())?;
    let referrer = party.after.picture.accounts.get(&after.referrer);
    let another = referrer.is_some_and(|r| r.wallet != after.wallet);
    holds(C3, "a referrer is another wallet's account", another)?;
    let mut same = *after;
    same.referrer = before.referrer;
    holds(
        C3,
        "only the referrer changes",
        bytemuck::bytes_of(&same) == bytemuck::bytes_of(before),
    )
}

/// What a referrer gets is what was due to it, out of the collected fees.
pub fn claimed(change: &Change, account: &Party, referrer: &Party) -> Result<(), Broken> {
    let amount = referrer.after.account.cash - referrer.before.account.cash;
    holds(C3, "a referrer is paid", amount > 0)?;
    let named = match change.action {
        Action::ClaimReferral { referrer, .. } => account.before.account.referrer == *referrer,
        _ => false,
    };
    holds(C3, "the referrer is the account's own", named)?;
    let fees = i128::from(change.before.pool.collected_fees) - i128::from(change.after.pool.collected_fees);
    equal(C3, "what is paid out of the fees", fees, amount.into())?;
    let paid = account.before.account.referral_due - account.after.account.referral_due;
    equal(C3, "what is no longer due", paid.into(), amount.into())?;
    let unchanged = |party: &Party, restore: &dyn Fn(&mut MarginAccount)| {
        let mut same = *party.after.account;
        restore(&mut same);
        bytemuck::bytes_of(&same) == bytemuck::bytes_of(&*party.before.account)
    };
    let rest = unchanged(account, &|a| a.referral_due = account.before.account.referral_due)
        && unchanged(referrer, &|a| a.cash = referrer.before.account.cash);
    holds(C3, "nothing else of them changes", rest)
}

/// What referrers are owed is there: collected, or still in the markets' dues. The volume of an account is the sum of its days.
pub fn check(picture: &Picture) -> Result<(), Broken> {
    let owed: i128 = picture.accounts.values().map(|a| i128::from(a.referral_due)).sum();
    let due: i128 = picture.markets.iter().map(|m| i128::from(m.fees_due)).sum();
    let covered = owed <= due + i128::from(picture.pool.collected_fees);
    holds(C2, "fees cover what referrers are owed", covered)?;
    for account in picture.accounts.values() {
        let days: i128 = account.volume.daily.iter().map(|d| i128::from(*d)).sum();
        equal(C2, "sum of daily volumes", account.volume.total.into(), days)?;
    }
    Ok(())
}
