//! What the error plots of docs/fixed-point.md are drawn from: scripts/error_plots.py runs this and reads what it prints.
use crate::accuracy::errors;
use crate::reference::exact;
use crate::sample::{Point, Random, STATED};
use crate::wide::Wide;
use ballast_fixed::kernel::{cdf, exp, ln, pdf, sqrt, Q48};

/// `price F/K v |ln F/K|/v`, then the errors of call, put, delta, gamma, vega and theta as tests/kernel/accuracy.rs states them.
fn print_price(point: &Point) {
    let expected = exact(point);
    let (ratio, v) = (expected.ratio.to_f64(), expected.deviation.to_f64());
    let cells = errors(point, &expected).map(|e| format!("{e:e}"));
    println!("price {ratio:e} {v:e} {:e} {}", ratio.ln() / v, cells.join(" "));
}

/// `function name x error`, the error signed and in units of 2⁻⁴⁸.
fn print_function(name: &str, x: f64, found: fn(Q48) -> Q48, expected: fn(Wide) -> Wide) {
    let x = Q48((x * 2f64.powi(48)) as i64);
    let wide = Wide::scaled(x.0, 48);
    let error = Wide::scaled(found(x).0, 48) - expected(wide);
    println!(
        "function {name} {:e} {:.4}",
        wide.to_f64(),
        error.to_f64() * 2f64.powi(48)
    );
}

#[test]
#[ignore = "prints 70,000 lines for the plots"]
fn print() {
    let mut random = Random(48);
    for _ in 0..20_000 {
        print_price(&STATED.anywhere(&mut random));
        print_price(&STATED.near_the_money(&mut random));
    }
    for _ in 0..6_000 {
        print_function("cdf", random.uniform(-9.0, 9.0), cdf, Wide::cdf);
        print_function("pdf", random.uniform(-9.0, 9.0), pdf, Wide::pdf);
        // Times something even: the logarithm of the first factor alone has few bits.
        print_function(
            "ln",
            random.log_uniform(0.004, 100.0) * random.uniform(0.99, 1.0),
            ln,
            Wide::ln,
        );
        print_function("exp", random.uniform(-12.0, 1.0), exp, Wide::exp);
        print_function("sqrt", random.log_uniform(1e-6, 4.0), sqrt, Wide::sqrt);
    }
}
