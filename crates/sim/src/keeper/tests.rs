//! The keeper's choice against the rules of margin.md section 8, by hand calculation.
//!
//! BTC at 100,000 has ψ = 9.5 % and b = 0.5 %: one long BTC requires MM = 0.70 · 9,500 + 500 = 7,150; a lot is ten dollars. With c = 5 %
//! at the start of the clock the finishing part of a leg is x = (1.10 · MM − E) / (1.05 · MM).
use ballast::state::{
    Asset, Exchange, Instrument, InstrumentKind, MarginAccount, PriceFeed, RiskBoard, RiskParams, VERSION,
};
use ballast_fixed::{Lots, QuoteAmount};
use ballast_migrations::config::AUCTION;
use ballast_risk::{defaults, AssetParams, PortfolioParams};

use super::choice::{Intent, Proposal, View};

const NOW: i64 = 1_800_000_000;
const SLOT: u64 = 5_000;
/// A dollar in quote units.
const DOLLAR: i64 = 1_000_000;
/// 10⁻⁹ USD in a dollar.
const PRICE: i64 = 1_000_000_000;
const BTC_PERPETUAL: u16 = 0;
const BTC_FUTURE: u16 = 1;
const ETH_PERPETUAL: u16 = 2;

pub(crate) struct Scene {
    pub(crate) exchange: Box<Exchange>,
    pub(crate) board: Box<RiskBoard>,
    pub(crate) now: i64,
    pub(crate) slot: u64,
}

fn feed(dollars: i64) -> PriceFeed {
    PriceFeed {
        index: dollars * PRICE,
        slow: dollars * PRICE,
        publish_time: NOW,
        max_age_seconds: 60,
        ..PriceFeed::default()
    }
}

fn list(asset: &mut Asset, params: &AssetParams, dollars: i64) {
    asset.params = RiskParams::from(params);
    asset.clusters = params.clusters;
    asset.price = feed(dollars);
}

/// BTC at 100,000 with perpetual and future, ETH at 2,500 with a perpetual; the quote asset at par.
pub(crate) fn scene() -> Scene {
    let mut exchange: Box<Exchange> = bytemuck::allocation::zeroed_box();
    exchange.auction = AUCTION;
    let mut board: Box<RiskBoard> = bytemuck::allocation::zeroed_box();
    let portfolio = PortfolioParams::DEFAULT;
    board.level_weights = portfolio.level_weights.map(|w| w.0);
    board.effective_weights = board.level_weights;
    board.maintenance_factor = portfolio.maintenance_factor.0;
    board.shock_floor = portfolio.shock_floor.0;
    board.net_option_value = portfolio.net_option_value.0;
    board.vega_offset = portfolio.vega_offset.0;
    board.quote = feed(1);
    board.version = VERSION;
    board.asset_count = 2;
    list(&mut board.assets[0], &defaults::BTC, 100_000);
    list(&mut board.assets[1], &defaults::ETH, 2_500);
    let instrument = |kind: InstrumentKind, asset, expiry, lot_size| Instrument {
        kind: kind as u8,
        asset,
        expiry,
        lot_size,
        tick_size: 1,
        ..Instrument::default()
    };
    board.instruments[0] = instrument(InstrumentKind::Perpetual, 0, 0, 100_000);
    board.instruments[1] = instrument(InstrumentKind::Future, 0, NOW + 5_000_000, 100_000);
    board.instruments[2] = instrument(InstrumentKind::Perpetual, 1, 0, 1_000_000);
    Scene {
        exchange,
        board,
        now: NOW,
        slot: SLOT,
    }
}

impl Scene {
    /// An account with these positions, opened at the mark, and this equity in dollars.
    pub(crate) fn account(&self, equity: i64, positions: &[(u16, i64)]) -> Box<MarginAccount> {
        let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
        account.version = VERSION;
        account.cash = equity * DOLLAR;
        for (instrument, lots) in positions {
            let listed = &self.board.instruments[usize::from(*instrument)];
            let at = account.open_position(*instrument, listed).unwrap();
            let mark = self.board.mark(listed, self.now).unwrap();
            let value = mark.times(Lots(*lots).quantity(listed.lot_size()).unwrap());
            let paid = QuoteAmount(-value.quote_floor().unwrap().0);
            account.positions[at].fill(Lots(*lots), paid).unwrap();
        }
        account.cash = equity * DOLLAR;
        account
    }

    /// The same, flagged one slot ago.
    fn flagged(&self, equity: i64, positions: &[(u16, i64)]) -> Box<MarginAccount> {
        let mut account = self.account(equity, positions);
        account.flag.started_at = self.now;
        account.flag.confirmed_at = self.now;
        account.flag.started_slot = self.slot - 1;
        account
    }

    fn intent_with(&self, account: &MarginAccount, cash: i64) -> Intent {
        let view = View {
            exchange: &self.exchange,
            board: &self.board,
            now: self.now,
            slot: self.slot,
        };
        view.intent(account, &self.account(cash, &[])).unwrap()
    }

    fn intent(&self, account: &MarginAccount) -> Intent {
        self.intent_with(account, 10_000_000)
    }

    fn step(&self, account: &MarginAccount) -> Proposal {
        match self.intent(account) {
            Intent::Step(step) => *step,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn leaves_the_healthy_alone_and_unflags_the_recovered() {
    let scene = scene();
    let one = [(BTC_PERPETUAL, 10_000)];
    assert_eq!(scene.intent(&scene.account(7_150, &one)), Intent::Leave);
    // Flagged and above MM, but under 1.10 · 7,150 = 7,865: the flag stays.
    assert_eq!(scene.intent(&scene.flagged(7_864, &one)), Intent::Leave);
    assert_eq!(scene.intent(&scene.flagged(7_865, &one)), Intent::Unflag);
}

#[test]
fn flags_first_and_steps_in_a_later_slot() {
    let mut scene = scene();
    let one = [(BTC_PERPETUAL, 10_000)];
    assert_eq!(scene.intent(&scene.account(7_149, &one)), Intent::Flag);
    let mut account = scene.flagged(7_149, &one);
    account.flag.started_slot = scene.slot;
    assert_eq!(scene.intent(&account), Intent::Wait);
    scene.slot += 1;
    assert!(matches!(scene.intent(&account), Intent::Step(_)));
    // 120 seconds without confirmation still count, 121 do not.
    account.flag.confirmed_at = NOW - 120;
    assert!(matches!(scene.intent(&account), Intent::Step(_)));
    account.flag.confirmed_at = NOW - 121;
    assert_eq!(scene.intent(&account), Intent::Flag);
}

#[test]
fn takes_no_more_than_the_target_needs() {
    let scene = scene();
    let step = scene.step(&scene.flagged(7_000, &[(BTC_PERPETUAL, 10_000)]));
    // x = (7,865 − 7,000) / (1.05 · 7,150) = 0.11522: 1,153 lots. They free 7,150 · 0.1153 = 824.395, cost 5 % of it, pay 60 % of that.
    assert_eq!(
        (step.instrument, step.lots, step.finishes),
        (BTC_PERPETUAL, 1_153, true)
    );
    assert_eq!(step.notional.0, 11_530 * 100_000_000);
    assert_eq!((step.cost.0, step.bounty.0), (41_219_750, 24_731_850));
}

#[test]
fn the_cost_rises_with_the_clock() {
    let mut scene = scene();
    let account = scene.flagged(7_000, &[(BTC_PERPETUAL, 10_000)]);
    scene.now += 30;
    // Half of the ramp: c = 5 % + 27.5 % = 32.5 %, so x = 865 / (0.775 · 7,150) = 0.15610: 1,562 lots.
    assert_eq!(scene.step(&account).lots, 1_562);
}

#[test]
fn a_step_keeps_within_the_window_and_waits_for_the_next() {
    let scene = scene();
    let eight = [(BTC_PERPETUAL, 80_000)];
    // MM = 57,200. The target would need (62,920 − 45,000) / 60,060 = 0.298 of the leg; the cap is a fifth of 800,000.
    let mut account = scene.flagged(45_000, &eight);
    let step = scene.step(&account);
    assert_eq!((step.lots, step.finishes), (16_000, false));
    account.flag.window_start = scene.now - 9;
    account.flag.window_notional = 100_000 * 100_000_000;
    assert_eq!(scene.step(&account).lots, 6_000);
    account.flag.window_notional = 160_000 * 100_000_000;
    assert_eq!(scene.intent(&account), Intent::Wait);
    // What was taken fades over a second window: all of it counts at ten seconds, half of it at fifteen, nothing at twenty.
    account.flag.window_start = scene.now - 10;
    assert_eq!(scene.intent(&account), Intent::Wait);
    account.flag.window_start = scene.now - 15;
    assert_eq!(scene.step(&account).lots, 8_000);
    account.flag.window_start = scene.now - 20;
    assert_eq!(scene.step(&account).lots, 16_000);
    // Under ⅔ · 57,200 there is no cap: (62,920 − 30,000) / 60,060 = 0.54812 of 80,000 lots.
    let step = scene.step(&scene.flagged(30_000, &eight));
    assert_eq!((step.lots, step.finishes), (43_850, true));
}

#[test]
fn keeps_the_clock_alive_while_it_waits() {
    let scene = scene();
    let mut account = scene.flagged(45_000, &[(BTC_PERPETUAL, 80_000)]);
    account.flag.window_start = scene.now;
    account.flag.window_notional = 160_000 * 100_000_000;
    account.flag.confirmed_at = scene.now - 59;
    assert_eq!(scene.intent(&account), Intent::Wait);
    account.flag.confirmed_at = scene.now - 60;
    assert_eq!(scene.intent(&account), Intent::Flag);
}

#[test]
fn closes_the_outright_leg_and_leaves_the_hedge() {
    let scene = scene();
    let legs = [(BTC_PERPETUAL, 10_000), (BTC_FUTURE, -10_000), (ETH_PERPETUAL, 40_000)];
    // BTC alone is a basis trade, 8,700; ETH adds 0.70 · 12,000 + 500 = 8,900. A BTC leg frees 8,700 − 7,150 at best.
    let step = scene.step(&scene.flagged(17_000, &legs));
    assert_eq!((step.instrument, step.finishes), (ETH_PERPETUAL, true));
    // x = (1.10 · 17,600 − 17,000) / (1.05 · 8,900) = 0.25254 of 40,000 lots
    assert_eq!(step.lots, 10_102);
}

#[test]
fn takes_only_freshly_priced_legs() {
    let mut scene = scene();
    let account = scene.flagged(2_000, &[(BTC_PERPETUAL, 10_000), (ETH_PERPETUAL, 40_000)]);
    scene.board.assets[1].price.publish_time = NOW - 61;
    assert_eq!(scene.step(&account).instrument, BTC_PERPETUAL);
    scene.board.assets[0].price.publish_time = NOW - 61;
    // Both stale, each a quarter of ψ and its confidence in the account's favour: still under, but nothing may be taken.
    assert_eq!(scene.intent(&account), Intent::Wait);
}

#[test]
fn takes_no_more_than_its_own_margin_carries() {
    let scene = scene();
    let account = scene.flagged(30_000, &[(BTC_PERPETUAL, 80_000)]);
    let lots = |cash| match scene.intent_with(&account, cash) {
        Intent::Step(step) => step.lots,
        Intent::Wait => 0,
        other => panic!("{other:?}"),
    };
    // 43,850 lots require 43,850 and the reserve of 2, and bring a bounty of 60 % of 5 % of the 31,352.75 that they free, 940.58: cash of
    // 42,911.42 carries them. Half of them are 21,925 lots.
    assert_eq!([42_912, 42_911, 22_000, 0].map(lots), [43_850, 21_925, 21_925, 0]);
}

#[test]
fn what_has_no_lots_left_is_nobodys_to_liquidate() {
    let scene = scene();
    let mut account = scene.account(-5, &[(BTC_PERPETUAL, 1)]);
    account.positions[0].lots = 0;
    account.positions[0].quote = -1;
    assert_eq!(scene.intent(&account), Intent::Leave);
}

#[test]
fn a_bankrupt_account_is_closed_without_cost() {
    let scene = scene();
    let step = scene.step(&scene.flagged(-3_000, &[(BTC_PERPETUAL, 10_000)]));
    assert_eq!((step.lots, step.cost.0, step.bounty.0), (10_000, 0, 0));
    assert_eq!(step.after.maintenance.0, 0);
}

#[test]
fn dust_goes_whole() {
    let scene = scene();
    // Ten lots are 100 dollars, which is dust; MM 7.15. Eleven are not: x = (1.10 · 7.865 − 7) / (1.05 · 7.865) = 0.2000: 3 lots.
    let cents = |cents: i64, lots| {
        let mut account = scene.flagged(0, &[(BTC_PERPETUAL, lots)]);
        account.cash = cents * DOLLAR / 100;
        scene.step(&account).lots
    };
    assert_eq!((cents(700, 10), cents(700, 11)), (10, 3));
}
