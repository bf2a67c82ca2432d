//! std as programs use it: maps, vectors, strings, sorting, trait objects.

use std::collections::{BTreeMap, HashMap};

use anchor_lang::prelude::*;

use crate::VectorsError;

/// An argument with all kinds of content.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub enum Operation {
    Nothing,
    Add(u64, u64),
    Subtract { a: u64, b: u64 },
    Multiply(u128, u64),
    Divide(i64, i64),
    Text(String),
    List(Vec<u16>),
    Pair(Box<(u8, u32)>),
    Key(Pubkey),
    Optional(Option<i128>),
    Flag(bool),
}

trait Curve {
    fn price(&self, x: u128) -> Option<u128>;
    fn name(&self) -> &'static str;
}

struct Linear(u128);

struct Quadratic {
    divisor: u128,
}

impl Curve for Linear {
    fn price(&self, x: u128) -> Option<u128> {
        x.checked_mul(self.0)?.checked_div(1_000_000)
    }
    fn name(&self) -> &'static str {
        "linear"
    }
}

impl Curve for Quadratic {
    fn price(&self, x: u128) -> Option<u128> {
        x.checked_mul(x)?.checked_div(self.divisor)
    }
    fn name(&self) -> &'static str {
        "quadratic"
    }
}

static NAMES: [&str; 6] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "a considerably longer name for an entry",
    "zeta",
];

impl Operation {
    fn value(self) -> u64 {
        match self {
            Operation::Nothing => 0,
            Operation::Add(a, b) => a + b,
            Operation::Subtract { a, b } => a - b,
            Operation::Multiply(a, b) => (a * u128::from(b)) as u64,
            Operation::Divide(a, b) => (a / b) as u64,
            Operation::Text(text) => text.to_uppercase().len() as u64,
            Operation::List(list) => list.iter().map(|x| u64::from(*x)).sum(),
            Operation::Pair(pair) => u64::from(pair.0) * u64::from(pair.1),
            Operation::Key(key) => key.to_string().len() as u64,
            Operation::Optional(value) => value.map_or(77, |x| (x % 1000) as u64),
            Operation::Flag(flag) => u64::from(flag),
        }
    }
}

/// Returns the operation's value and a note, and logs the rest.
pub fn run(which: u8, operation: Operation, lamports: u64) -> Result<(u64, String)> {
    let curves: [Box<dyn Curve>; 2] = [Box::new(Linear(5_000_000)), Box::new(Quadratic { divisor: 1000 })];
    let curve = &curves[usize::from(which) % 2];
    let price = curve
        .price(u128::from(which) + 1_000_000)
        .ok_or(VectorsError::Overflow)?;
    msg!("{} {} {}", curve.name(), price, NAMES[usize::from(which) % NAMES.len()]);

    let value = operation.value();
    let (hashed, ordered) = maps();
    let mut names = NAMES.to_vec();
    names.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    msg!(
        "value={value} hashed={hashed} ordered={ordered} vectors={} lamports={lamports}",
        vectors()
    );
    msg!("{}", names.join(","));
    Ok((value, format!("{hashed:08x}")))
}

fn maps() -> (u64, u64) {
    let mut hashed = HashMap::new();
    let mut ordered = BTreeMap::new();
    for i in 0..50u64 {
        *hashed.entry(i % 7).or_insert(0u64) += i;
        ordered.insert(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40, i);
    }
    let first_ten = ordered.iter().take(10).map(|(key, value)| key ^ value);
    (hashed.values().sum(), first_ten.sum())
}

/// One vector that grows and one with its capacity reserved, which the bump allocator wants.
fn vectors() -> u64 {
    let mut grown = Vec::new();
    for i in 0..900u16 {
        grown.push(i);
    }
    let mut reserved: Vec<u8> = Vec::with_capacity(20_000);
    for i in 0..20_000u32 {
        reserved.push(i as u8);
    }
    let grown: u64 = grown.iter().map(|x| u64::from(*x)).sum();
    grown + reserved.iter().map(|x| u64::from(*x)).sum::<u64>()
}
