//! How scan range and haircuts follow what a price does, through the compiled program and its clock.
//!
//! BTC falls from 100,000 to 95,000 within an hour: ln 0.95 = −0.0512932943875505, its square times ln 2 a variance a day of
//! 0.0018236716493, 3σ = 12.811341 %, which is 1.348562171… of the scan range of 9.5 %: the multiple is 1.348563, the scan range
//! 0.128113485. 1 BTC at 95,000 then takes 95,000 · (0.128113485 + 0.005) = 12,645.781075 of initial and
//! 95,000 · (0.7 · 0.128113485 + 0.005) = 8,994.5467525 of maintenance margin, where the table asks for 9,500 and 6,792.50.
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_risk::defaults;
use ballast_sim::world::{may_jump, PriceMessage, User, World, BTC, ETH, RECEIVERS, SOL, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};
use solana_signer::Signer;

/// IM and MM of 1 BTC at 95,000 by the table, and at 1.348563 times its scan range; dollars in 10⁻⁸.
const TABLE: (i64, i64) = (950_000_000_000, 679_250_000_000);
const RISEN: (i64, i64) = (1_264_578_107_500, 899_454_675_250);

/// The exchange as genesis has it, ψ following the market; its prices may jump.
fn lively() -> World {
    let mut w = World::live(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    for asset in [QUOTE_ASSET, BTC, ETH, SOL] {
        let feed = may_jump(config::feed(w.feed_id(asset)));
        let outcome = w.set_sources(asset, feed);
        ok(&w, outcome);
    }
    w
}

/// Somebody long 1 BTC from 100,000 with 18,052 dollars, 50 of them for the fee and 2 locked; and the maker.
fn long(w: &mut World) -> (User, User) {
    let (user, maker) = pair(w, 18_052);
    trade(w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    (user, maker)
}

fn margins(w: &mut World, user: &User) -> (i64, i64) {
    let summary = w.summary(&user.account.margin_account);
    (summary.initial_margin, summary.maintenance_margin)
}

/// Refreshes quote and BTC at this time.
fn at(w: &mut World, time: i64, price: f64) {
    btc_at(w, time, price);
}

#[test]
fn a_move_raises_initial_margin_at_once_and_maintenance_after_ten_minutes() {
    let mut w = lively();
    let (user, maker) = long(&mut w);
    let key = user.account.margin_account;
    assert_eq!(margins(&mut w, &user), (1_000_000_000_000, 715_000_000_000));
    // In the first minute of START: the grace ends with the tenth minute after it.
    at(&mut w, START + 30, 95_000.0);
    assert_eq!(margins(&mut w, &user), (RISEN.0, TABLE.1));
    // 13,000 of equity are enough to hold it. ETH at 3,000 would take 375.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(ETH_PERP, &user, &maker, 1_000, 3_000.0)
    });
    for time in [START + 600, START + 659] {
        at(&mut w, time, 95_000.0);
        assert_eq!(margins(&mut w, &user), (RISEN.0, TABLE.1), "{time}");
    }
    // Nobody has to do anything for it to end.
    w.vm.advance(1);
    assert_eq!(w.vm.now(), START + 660);
    assert_eq!(margins(&mut w, &user), RISEN);
    let s = w.summary(&key);
    assert_eq!(s.equity_maintenance, 13_000 * DOLLAR);
    assert!(!s.liquidatable);
}

/// Between 6,792.50 and 8,994.55 of equity: liquidatable from the first second after the grace on, and not before.
#[test]
fn an_account_has_ten_minutes_to_answer_a_rise() {
    let mut w = lively();
    let (user, maker) = pair(&mut w, 0);
    set_cash(&mut w, &user, 13_052 * USD as i64);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let key = user.account.margin_account;
    at(&mut w, START + 59, 95_000.0);
    at(&mut w, START + 655, 95_000.0);
    w.vm.advance(4);
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
    w.vm.advance(1);
    let outcome = w.flag(&key);
    ok(&w, outcome);
    // Reductions are what is open to it meanwhile: with E_im under IM it may only shrink.
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 95_000.0)
    });
}

/// Back at 100,000 in the same hour the return of the hour is nothing and so is what it asks for: the multiple falls by 0.05 an hour,
/// 0.025 in half an hour, to 1.323563, and ψ to 0.125738485.
#[test]
fn a_multiple_falls_by_its_rate_at_most_and_never_under_the_table() {
    let mut w = lively();
    let (user, _) = long(&mut w);
    at(&mut w, START + 30, 95_000.0);
    at(&mut w, START + 31, 100_000.0);
    at(&mut w, START + 1_831, 100_000.0);
    let scan_range = 125_738_485;
    let (im, mm) = margins(&mut w, &user);
    assert_eq!(im, 100_000 * scan_range / 10 + 500 * DOLLAR);
    // What fell ten minutes ago was above it.
    assert_eq!(mm, 70_000 * scan_range / 10 + 500 * DOLLAR);
    // Looking at it every ten seconds makes it fall no faster.
    for time in (START + 1_841..=START + 2_191).step_by(10) {
        at(&mut w, time, 100_000.0);
    }
    // 0.005 in 360 seconds: 1.318563, ψ 0.125263485.
    assert_eq!(margins(&mut w, &user).0, 100_000 * 125_263_485 / 10 + 500 * DOLLAR);
    // 6.97 hours after the rise nothing is left of it, and there it stays.
    for time in [START + 31 + 25_097, START + 30_000, START + 90_000] {
        w.vm.advance(time - 1 - w.vm.now());
        w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
        assert_eq!(margins(&mut w, &user), (1_000_000_000_000, 715_000_000_000), "{time}");
    }
}

/// At 80,000 it would be 4.7 times: two and a half is the most, 23.75 %.
#[test]
fn a_multiple_has_a_cap() {
    let mut w = lively();
    let (user, _) = pair(&mut w, 100_000);
    let maker = trader(&mut w, 10_000_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    at(&mut w, START + 30, 80_000.0);
    assert_eq!(
        margins(&mut w, &user),
        (80_000 * 2_425 * DOLLAR / 10_000, 80_000 * 715 * DOLLAR / 10_000)
    );
    at(&mut w, START + 660, 80_000.0);
    assert_eq!(
        margins(&mut w, &user),
        (80_000 * 2_425 * DOLLAR / 10_000, 80_000 * 17_125 * DOLLAR / 100_000)
    );
}

/// h·1.348563 + 2 · 0.2 %: 20.628445 % of 95,000 for initial, 10.4 % in the ten minutes of grace and 13.88563 % after them.
#[test]
fn haircuts_follow_volatility_and_confidence() {
    let mut w = lively();
    let user = trader(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    let key = user.account.margin_account;
    let price = |w: &mut World, time: i64| {
        w.vm.advance(time - w.vm.now());
        let update = PriceMessage {
            confidence: 19_000_000_000, // 190 of 95,000
            ..PriceMessage::new(w.feed_id(BTC), 95_000.0, time)
        };
        w.post(BTC, &update);
        w.post_price(QUOTE_ASSET, 1.0);
        let outcome = w.refresh(&[QUOTE_ASSET, BTC]);
        ok(w, outcome);
    };
    let credits = |w: &mut World| {
        let s = w.summary(&key);
        (s.equity_initial, s.equity_maintenance)
    };
    price(&mut w, START + 30);
    assert_eq!(credits(&mut w), (7_540_297_725_000, 8_512_000_000_000));
    price(&mut w, START + 660);
    assert_eq!(credits(&mut w), (7_540_297_725_000, 8_180_865_150_000));
    // A fall by 4 · 12.8113485 % at a weight of a quarter costs (51.245394 − 13.88563) / 4 % of 95,000, 8,872.94395; the rest can be borrowed.
    trader(&mut w, 1_000_000);
    let usd = w.usd;
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 66_530_033_301)
    });
    let outcome = w.withdraw(&user, &usd, 66_530_033_300);
    ok(&w, outcome);
}

/// For a liquidation the confidence counts only as far as a tight price may have it: 1 % wide, 10 % + 2 · 0.5 % is the haircut, and the price
/// is 1 % better. For new risk it is 15 % + 2 · 1 %, of a price 1 % worse.
#[test]
fn a_wide_price_does_not_liquidate_collateral_by_its_width() {
    let mut w = lively();
    let user = trader(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    w.vm.advance(1);
    let update = PriceMessage {
        confidence: 100_000_000_000, // 1,000 of 100,000
        ..PriceMessage::new(w.feed_id(BTC), 100_000.0, w.vm.now())
    };
    w.post(BTC, &update);
    let outcome = w.refresh(&[BTC]);
    ok(&w, outcome);
    let s = w.summary(&user.account.margin_account);
    assert_eq!(s.equity_initial, 82_170 * DOLLAR);
    assert_eq!(s.equity_maintenance, 89_000 * DOLLAR);
    assert_eq!(s.equity_liquidation, 89_890 * DOLLAR);
}

/// The haircuts of a mid cap are 50 and 40 %: at two and a half times they would be 125 and 100 %, and are 100.
#[test]
fn a_haircut_is_at_most_everything() {
    let mut w = lively();
    let authority = w.authority.insecure_clone();
    let (feed, account) = (w.vm.keypair().pubkey().to_bytes(), w.vm.keypair().pubkey());
    let mut args = config::asset("MID", feed, &defaults::MID_CAP, 1, 1, START + DAY).asset;
    args.feed = may_jump(args.feed);
    let list = instruction::list_asset(&w.exchange, &authority.pubkey(), args);
    let outcome = w.vm.send(&[list], &[&authority]);
    ok(&w, outcome);
    let mid = w.board().asset_count - 1;
    let scales = |w: &mut World, price: f64, time: i64| {
        w.vm.advance(time - w.vm.now());
        let update = PriceMessage::new(feed, price, time);
        let data = update.account_data(w.vm.clock().slot);
        w.vm.put(account, RECEIVERS[0], data);
        let refresh = instruction::refresh_prices(&w.exchange, &[(mid, account)]);
        let outcome = w.vm.send(&[refresh], &[]);
        ok(w, outcome);
        w.board().assets[usize::from(mid)].scale.multiples(w.vm.now())
    };
    assert_eq!(scales(&mut w, 100.0, START + 10), (1_000_000, 1_000_000));
    let user = trader(&mut w, 0);
    let mint = w.vm.keypair().pubkey();
    let source = list_token(&mut w, &user, mid, &mint);
    let deposit = instruction::deposit(&w.exchange, &user.account, &mint, &source, 1_000_000);
    let outcome = w.vm.send(&[deposit], &[&user.key]);
    ok(&w, outcome);
    let key = user.account.margin_account;
    let credits = |w: &mut World| {
        let s = w.summary(&key);
        (s.equity_initial, s.equity_maintenance)
    };
    assert_eq!(credits(&mut w), (50 * DOLLAR, 60 * DOLLAR));
    // A fall by half is 7.2 times 24 % as 3σ of a day.
    assert_eq!(scales(&mut w, 50.0, START + 30), (2_500_000, 1_000_000));
    assert_eq!(credits(&mut w), (0, 30 * DOLLAR));
    assert_eq!(scales(&mut w, 50.0, START + 660), (2_500_000, 2_500_000));
    assert_eq!(credits(&mut w), (0, 0));
}

/// A mint of six decimals as collateral of the asset; the user has a million units of it.
fn list_token(
    w: &mut World,
    user: &User,
    asset: u8,
    mint: &anchor_lang::prelude::Pubkey,
) -> anchor_lang::prelude::Pubkey {
    use ballast_sim::world::{mint_account, token_account, TOKEN_PROGRAM};
    let source = w.vm.keypair().pubkey();
    w.vm.put(*mint, TOKEN_PROGRAM, mint_account(6));
    let tokens = token_account(mint, &user.key.pubkey(), 1_000_000);
    w.vm.put(source, TOKEN_PROGRAM, tokens);
    let authority = w.authority.insecure_clone();
    let args = ballast::instructions::ListCollateralArgs {
        asset,
        deposit_cap: 1_000_000_000,
        owner_deposit_cap: 1_000_000_000,
    };
    let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), mint, args);
    let outcome = w.vm.send(&[list], &[&authority]);
    ok(w, outcome);
    source
}
