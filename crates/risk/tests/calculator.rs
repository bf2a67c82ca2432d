//! The offline calculator's reading and printing: exact decimals, defaults, and an error for everything else.
#[path = "../examples/margin/compute.rs"]
mod compute;
#[path = "../examples/margin/decimal.rs"]
mod decimal;
#[path = "../examples/margin/input.rs"]
mod input;
#[path = "../examples/margin/options.rs"]
mod options;
#[path = "../examples/margin/output.rs"]
mod output;
#[path = "../examples/margin/parameters.rs"]
mod parameters;

use ballast_fixed::Ratio;
use decimal::{Decimal, Rounding};
use serde_json::{json, Value};

fn d(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

/// The basis trade of the methodology's section 0.
fn basis_trade() -> Value {
    json!({
        "time": 1_800_000_000,
        "assets": {"BTC": {"price": 100_000.0, "class": "BTC"}},
        "markets": {
            "P": {"asset": "BTC", "kind": "perp", "mark": 100_000.0},
            "F": {"asset": "BTC", "kind": "future", "mark": 100_000.0, "expiry": 1_805_184_000},
            "C": {"asset": "BTC", "kind": "option", "call": true, "strike": 1.0, "iv": 0.6, "forward": 1.0, "expiry": 1},
        },
        "account": {"cash": 15_000.0, "collateral": {}, "positions": [
            {"market": "P", "qty": 1.0}, {"market": "F", "qty": -1.0},
        ]},
    })
}

fn answer(input: &Value) -> Result<Value, String> {
    let input = input::read(&input.to_string())?;
    assert_eq!(input.warnings, [] as [String; 0]);
    let outcome = compute::compute(&input)?;
    output::render(&outcome, input.levels).map_err(|e| e.to_string())
}

fn error(change: impl Fn(&mut Value)) -> String {
    let mut input = basis_trade();
    change(&mut input);
    answer(&input).expect_err("refused")
}

#[test]
fn the_basis_trade_comes_out_as_published() {
    let a = answer(&basis_trade()).unwrap();
    for (field, dollars) in [
        ("IM", "12000"),
        ("MM", "8700"),
        ("isolated_IM", "20000"),
        ("free", "3000"),
        ("R", "0"),
    ] {
        assert_eq!(a[field].to_string(), dollars, "{field}");
    }
    assert_eq!(a["health"].to_string(), "1.724137931"); // 15,000 / 8,700, rounded down
    assert_eq!(a["assets"]["BTC"]["pnl"].as_array().unwrap().len(), 24);
    assert_eq!(a["levels"].as_array().unwrap().len(), 3);
}

#[test]
fn the_example_file_is_the_basis_trade() {
    let file = input::read(include_str!("../examples/margin/basis_trade.json")).unwrap();
    let outcome = compute::compute(&file).unwrap();
    assert_eq!(
        output::render(&outcome, file.levels),
        Ok(answer(&basis_trade()).unwrap())
    );
}

/// The option of the methodology's section 0.
#[test]
fn the_second_example_file_is_the_hedged_call() {
    let file = input::read(include_str!("../examples/margin/delta_hedge.json")).unwrap();
    assert_eq!(file.warnings, [] as [String; 0]);
    let outcome = compute::compute(&file).unwrap();
    let answer = output::render(&outcome, file.levels).unwrap();
    let rounded = |field: &str| format!("{:.2}", answer[field].as_f64().unwrap());
    assert_eq!(
        (rounded("IM"), rounded("isolated_IM")),
        ("769.88".into(), "3990.48".into())
    );
}

#[test]
fn options_of_an_expiry_share_its_forward() {
    let mut input = basis_trade();
    input["markets"]["D"] = json!({"asset": "BTC", "kind": "option", "call": false, "strike": 2.0, "iv": 0.6, "forward": 1.01, "expiry": 1});
    input["account"]["positions"] = json!([{"market": "C", "qty": 1}, {"market": "D", "qty": 1}]);
    assert!(answer(&input).unwrap_err().contains("differ in forward"));
}

#[test]
fn a_fixed_parameter_is_warned_of() {
    let mut input = basis_trade();
    input["params"] = json!({"skew_cap": 0.15, "theta_days": 2, "vega_offset": 0.5});
    let read = input::read(&input.to_string()).unwrap();
    assert_eq!(
        read.warnings,
        ["params.theta_days is 1 in this engine, whatever the file says"]
    );
    assert_eq!(read.portfolio.vega_offset, Ratio(500_000_000));
}

/// 3.2 % of 100,000 a day, the 99 % quantile of the normal distribution 2.326347874.
#[test]
fn value_at_risk_is_delta_normal() {
    let mut input = basis_trade();
    input["account"]["positions"] = json!([{"market": "P", "qty": 1}]);
    let reported = answer(&input).unwrap()["delta_var99"].as_f64().unwrap();
    assert!((reported - 7_444.313_196_8).abs() < 1e-6, "{reported}");
}

#[test]
fn overrides_and_levels_are_taken() {
    let mut input = basis_trade();
    input["assets"]["BTC"]["psr"] = json!(0.2);
    input["params"] = json!({"mm_factor": 0.5, "levels": [{"w": 1, "clusters": []}]});
    let a = answer(&input).unwrap();
    assert_eq!(a["charge"].to_string(), "21500"); // (20 % + 1.5 %)·100,000
    assert_eq!(a["MM"].to_string(), "11750"); // half of it and the buffer of 1,000
    assert_eq!(a["levels"].as_array().unwrap().len(), 1);
}

#[test]
fn weights_of_a_third_add_up() {
    let mut input = basis_trade();
    let third: Value = serde_json::from_str("0.333333333333333333333").unwrap();
    let level = |clusters: Value| json!({"w": third, "clusters": clusters});
    input["params"] = json!({"levels": [level(json!([["BTC", "ETH"]])), level(json!([])), level(json!([["BTC"]]))]});
    let read = input::read(&input.to_string()).unwrap();
    // The missing 10⁻⁹ goes to the level that nets nothing.
    let weights = read.portfolio.level_weights.map(|w| w.0);
    assert_eq!(weights, [333_333_333, 333_333_334, 333_333_333, 0]);
    assert_eq!(read.assets[0].params.clusters, [1, 0, 2, 0]);
}

#[test]
fn a_slow_price_and_a_quote_price_are_taken() {
    let mut input = basis_trade();
    input["account"]["positions"] = json!([{"market": "P", "qty": 1, "entry": 95_000}]);
    input["assets"]["BTC"]["slow"] = json!(90_000);
    input["quote_price"] = json!(0.99);
    let a = answer(&input).unwrap();
    assert_eq!(a["equity_mm"].to_string(), "19800"); // 0.99·(15,000 + 5,000)
    assert_eq!(a["equity_im"].to_string(), "9900"); // 0.99·(15,000 − 5,000)
}

#[test]
fn parameters_beyond_nine_digits_round_against_the_account() {
    let mut input = basis_trade();
    let text = |t: &str| serde_json::from_str::<Value>(t).unwrap();
    input["assets"]["BTC"]["psr"] = text("0.0950000000001");
    input["assets"]["BTC"]["hedge"] = text("0.9999999999");
    input["assets"]["BTC"]["depth"] = text("1e12");
    let params = input::read(&input.to_string()).unwrap().assets[0].params;
    assert_eq!(
        (params.scan_range, params.hedge_recognition),
        (Ratio(95_000_001), Ratio(999_999_999))
    );
    assert_eq!(params.depth, ballast_risk::MAX_GROSS);
}

#[test]
fn bad_input_is_named() {
    assert!(input::read("{").unwrap_err().contains("not valid JSON"));
    assert!(input::read("[]").unwrap_err().contains("the input must be an object"));
    assert!(input::read("{}").unwrap_err().contains("lacks \"account\""));
    let has = |text: String, part: &str| assert!(text.contains(part), "{text}");
    has(
        error(|i| i["account"]["positions"][0]["market"] = json!("X")),
        "market X is not under",
    );
    let option = |field: &'static str, value: Value| {
        error(move |i| {
            i["account"]["positions"][0]["market"] = json!("C");
            i["markets"]["C"][field] = value.clone();
        })
    };
    has(option("iv", json!(0.049)), "iv must be 0.05 to 4");
    has(option("iv", json!(4.001)), "iv must be 0.05 to 4");
    has(option("call", json!("yes")), "call must be true or false");
    has(option("strike", json!(0)), "strike must be above 0");
    has(option("forward", json!(1e-10)), "below 0.000000001");
    has(option("expiry", json!(0.5)), "expiry must be whole seconds");
    has(option("fixed", json!(1.5)), "outside its hard bounds");
    has(
        error(|i| i["account"]["positions"][0]["qty"] = json!("1")),
        "qty must be a number",
    );
    has(
        error(|i| i["markets"]["P"]["kind"] = json!("swap")),
        "kind swap is unknown",
    );
    has(error(|i| i["markets"]["P"]["mark"] = json!(0)), "mark must be above 0");
    has(
        error(|i| i["markets"]["P"]["asset"] = json!("ETH")),
        "asset ETH is not under",
    );
    has(
        error(|i| i["markets"]["F"]["expiry"] = json!(1.5)),
        "expiry must be whole seconds",
    );
    has(
        error(|i| i["assets"]["BTC"]["price"] = json!(-1)),
        "price must be above 0",
    );
    has(
        error(|i| i["assets"]["BTC"]["class"] = json!("GOLD")),
        "class GOLD is unknown",
    );
    has(error(|i| i["assets"]["BTC"]["psr"] = json!(0.96)), "psr 0 to 0.95");
    has(error(|i| i["assets"]["BTC"]["depth"] = json!(-1)), "out of bounds");
    has(error(|i| i["assets"]["BTC"]["h_mm"] = json!(0.2)), "h_mm at most h_im");
    has(
        error(|i| i["account"]["collateral"]["BTC"] = json!(-1)),
        "only cash can be negative",
    );
    has(
        error(|i| i["account"]["positions"][0]["qty"] = json!(1e15)),
        "at most $20bn",
    );
    has(error(|i| i["account"]["cash"] = json!(1e30)), "cash is too large");
    has(
        error(|i| i["params"] = json!({"mm_factor": 2})),
        "mm_factor must be 0 to 1",
    );
    has(
        error(|i| i["params"] = json!({"levels": [{"w": 0.5, "clusters": []}]})),
        "add up to 1",
    );
    has(
        error(|i| i["params"] = json!({"levels": [{"w": 1, "clusters": [["BTC"], ["BTC"]]}]})),
        "two clusters",
    );
    has(error(|i| i["params"] = json!({"levels": []})), "1 to 4 levels");
}

#[test]
fn an_unknown_parameter_is_warned_of() {
    let mut input = basis_trade();
    input["assets"]["BTC"]["buffr"] = json!(0.01);
    let warnings = input::read(&input.to_string()).unwrap().warnings;
    assert_eq!(warnings, ["asset BTC: buffr is unknown and was left out"]);
}

#[test]
fn decimals_are_exact() {
    assert_eq!(d("1.25").scaled(2, Rounding::Down), Ok(125));
    assert_eq!(
        d("-0.30000000000000004").scaled(18, Rounding::Down),
        Ok(-300_000_000_000_000_040)
    );
    assert_eq!(d("12.5e-3").scaled(4, Rounding::Down), Ok(125));
    assert_eq!(d("1E+3").scaled(0, Rounding::Down), Ok(1_000));
    assert_eq!(d("-0.0").scaled(9, Rounding::Away), Ok(0));
    assert!(!d("-0").is_negative() && d("0.000").is_zero());
    let long = format!("0.{}1", "0".repeat(300));
    assert_eq!(
        (d(&long).scaled(18, Rounding::Down), d(&long).scaled(18, Rounding::Up)),
        (Ok(0), Ok(1))
    );
    for bad in ["", "-", "1.2.3", "abc", "0x1", "1e", "1e9999999999999999999", "1e500"] {
        assert!(Decimal::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn decimals_round_the_way_they_are_told() {
    let all = |text: &str| [Rounding::Down, Rounding::Up, Rounding::Away].map(|r| d(text).scaled(0, r).unwrap());
    assert_eq!(all("1.5"), [1, 2, 2]);
    assert_eq!(all("-1.5"), [-2, -1, -2]);
    assert_eq!(all("0.001"), [0, 1, 1]);
    assert_eq!(all("-0.001"), [-1, 0, -1]);
    assert_eq!(all("3"), [3, 3, 3]);
    assert!(d("1e39").scaled(0, Rounding::Down).is_err());
    assert!(d("2").scaled(38, Rounding::Down).is_err());
}

#[test]
fn decimal_arithmetic() {
    let exact = |x: Decimal| x.scaled(6, Rounding::Down).unwrap();
    assert_eq!(exact(d("1.5").times(&d("-0.25"))), -375_000);
    assert_eq!(exact(d("999.999").times(&d("999.999"))), 999_998_000_001);
    assert_eq!(exact(d("99.9").plus(&d("0.1"))), 100_000_000);
    assert_eq!(exact(d("1").plus(&d("-1.000001"))), -1);
    assert_eq!(exact(d("-5").plus(&d("5"))), 0);
    assert_eq!(exact(d("1e3").plus(&d("-0.5"))), 999_500_000);
    assert_eq!(exact(d("7").negated()), -7_000_000);
    assert_eq!(d("10").quotient_floor(&d("3"), 2), Ok(333));
    assert_eq!(d("-10").quotient_floor(&d("3"), 2), Ok(-334));
    assert_eq!(d("1e2").quotient_floor(&d("0.5"), 0), Ok(200));
    assert_eq!(d("0.001").quotient_floor(&d("1000"), 6), Ok(1));
}

#[test]
fn amounts_print_exactly() {
    for (value, text) in [
        (1_200_000_000_000, "12000"),
        (1, "0.00000001"),
        (-1, "-0.00000001"),
        (-150_000_000, "-1.5"),
        (0, "0"),
        (i64::MAX, "92233720368.54775807"),
        (i64::MIN, "-92233720368.54775808"),
    ] {
        assert_eq!(output::decimal(value, 8).to_string(), text);
    }
}
