//! Random accounts in the calculator's input format, the same for a seed on every machine.
use std::fmt::Write;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// low..=high.
    fn range(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1) as u64) as i64
    }

    fn chance(&mut self, percent: i64) -> bool {
        self.range(0, 99) < percent
    }

    /// Any size from 1 to 10^digits, all orders of magnitude alike.
    fn magnitude(&mut self, digits: u32) -> i64 {
        let top = 10i64.pow(self.range(1, i64::from(digits)) as u32);
        self.range(1, top)
    }
}

/// value / 10^places as a decimal text.
fn decimal(value: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}

/// Name and class; the last two BTC- and ETH-like ones are in no cluster.
const ASSETS: [(&str, &str); 12] = [
    ("BTC", "BTC"),
    ("ETH", "ETH"),
    ("SOL", "SOL"),
    ("AVAX", "MID"),
    ("LINK", "MID"),
    ("DOGE", "MID"),
    ("USDT", "STABLE"),
    ("DAI", "STABLE"),
    ("JUP", "MID"),
    ("XBT", "BTC"),
    ("STETH", "ETH"),
    ("WIF", "SOL"),
];

/// What an account is made like.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Any,
    Long,
    Short,
    /// Every position has an opposite one in the asset.
    Hedged,
    /// Long positions against collateral in the same asset.
    WrongWay,
    /// Short positions against collateral in the same asset.
    Covered,
}

/// The account of this seed, as JSON text. Notionals are exact in 10⁻¹⁸, gross is at most $19bn.
pub fn account(seed: u64) -> String {
    let mut random = Random(seed);
    let style = [
        Style::Any,
        Style::Long,
        Style::Short,
        Style::Hedged,
        Style::WrongWay,
        Style::Covered,
    ];
    let style = style[random.range(0, 5) as usize];
    let size = random.range(4, 17) as u32; // of a notional, in 10⁻⁸ dollars: up to $500m below, 24 + 8 of them
    let mut names: Vec<usize> = (0..ASSETS.len()).collect();
    let most = if random.chance(50) { 3 } else { 12 };
    let used = random.range(1, most) as usize;
    for i in 0..used {
        let j = random.range(i as i64, ASSETS.len() as i64 - 1) as usize;
        names.swap(i, j);
    }
    names.truncate(used);

    let mut text = String::from("{\"time\": 1800000000, \"assets\": {");
    let mut prices = Vec::new();
    for (i, &n) in names.iter().enumerate() {
        let price = random.range(1, 9) * random.magnitude(15); // 10⁻⁹ dollars, up to $9m
        prices.push(price);
        let (name, class) = ASSETS[n];
        let comma = if i > 0 { ", " } else { "" };
        write!(
            text,
            "{comma}\"{name}\": {{\"price\": {}, \"class\": \"{class}\"",
            decimal(price, 9)
        )
        .unwrap();
        overrides(&mut random, class, &mut text);
        text.push('}');
    }
    text.push_str("}, \"markets\": {");
    let mut book = Book::new(&names, &prices, size);
    let collaterals = match style {
        Style::WrongWay | Style::Covered => used.min(8),
        _ => random.range(0, used.min(8) as i64) as usize,
    };
    let count = if random.chance(10) { 24 } else { random.range(0, 24) } as usize;
    while book.positions < count {
        let asset = random.range(0, used as i64 - 1) as usize;
        let side = match style {
            Style::Long | Style::WrongWay => 1,
            Style::Short | Style::Covered => -1,
            Style::Any | Style::Hedged => [1, -1][random.range(0, 1) as usize],
        };
        book.add(&mut random, asset, side, None);
        if style == Style::Hedged && book.positions < count {
            let hedge = book.last_quantity;
            book.add(&mut random, asset, -side, Some(hedge));
        }
    }
    write!(text, "{}}}", book.markets).unwrap();
    if random.chance(40) {
        parameters(&mut random, &mut text);
    }
    let cash = decimal([1, -1][random.range(0, 1) as usize] * random.magnitude(14), 6);
    write!(text, ", \"account\": {{\"cash\": {cash}, \"collateral\": {{").unwrap();
    for (i, &n) in names.iter().enumerate().take(collaterals) {
        let comma = if i > 0 { ", " } else { "" };
        let quantity = decimal(book.quantity(&mut random, prices[i]), 9);
        write!(text, "{comma}\"{}\": {quantity}", ASSETS[n].0).unwrap();
    }
    write!(text, "}}, \"positions\": [{}]}}}}", book.list).unwrap();
    text
}

/// Positions and their markets, as text.
struct Book<'a> {
    names: &'a [usize],
    prices: &'a [i64],
    size: u32,
    positions: usize,
    last_quantity: i64,
    markets: String,
    list: String,
}

impl<'a> Book<'a> {
    fn new(names: &'a [usize], prices: &'a [i64], size: u32) -> Book<'a> {
        Book {
            names,
            prices,
            size,
            positions: 0,
            last_quantity: 0,
            markets: String::new(),
            list: String::new(),
        }
    }

    /// A quantity in 10⁻⁹ whose value at this price is of the account's size, at most $500m.
    fn quantity(&self, random: &mut Random, price: i64) -> i64 {
        let value = random.magnitude(self.size).min(50_000_000_000_000_000);
        (i128::from(value) * 10_000_000_000 / i128::from(price)).clamp(1, 1_000_000_000_000_000_000) as i64
    }

    fn add(&mut self, random: &mut Random, asset: usize, side: i64, size: Option<i64>) {
        let mark = (self.prices[asset] as i128 * i128::from(random.range(960, 1_040)) / 1_000).max(1) as i64;
        let mut quantity = self.quantity(random, mark);
        if let Some(size) = size {
            // The same, or a part of it.
            quantity = if random.chance(50) {
                size
            } else {
                size / random.range(1, 5) + 1
            };
        }
        self.last_quantity = quantity;
        let comma = if self.positions > 0 { ", " } else { "" };
        let market = format!("M{}", self.positions);
        let kind = match random.range(0, 4) {
            0 | 1 => "\"kind\": \"perp\"".to_string(),
            n => format!("\"kind\": \"future\", \"expiry\": {}", 1_805_184_000 + n * 7_862_400),
        };
        let name = ASSETS[self.names[asset]].0;
        let mark_text = decimal(mark, 9);
        write!(
            self.markets,
            "{comma}\"{market}\": {{\"asset\": \"{name}\", {kind}, \"mark\": {mark_text}}}"
        )
        .unwrap();
        let quantity = decimal(side * quantity, 9);
        write!(self.list, "{comma}{{\"market\": \"{market}\", \"qty\": {quantity}").unwrap();
        if random.chance(80) {
            let entry = (i128::from(mark) * i128::from(random.range(700, 1_300)) / 1_000) as i64;
            write!(self.list, ", \"entry\": {}", decimal(entry, 9)).unwrap();
        }
        self.list.push('}');
        self.positions += 1;
    }
}

/// Now and then a governed parameter of the asset is another one.
fn overrides(random: &mut Random, class: &str, text: &mut String) {
    let mut field = |random: &mut Random, percent: i64, name: &str, low: i64, high: i64| {
        if random.chance(percent) {
            let value = random.range(low, high);
            write!(text, ", \"{name}\": {}", decimal(value, 9)).unwrap();
        }
    };
    if random.chance(50) {
        return;
    }
    let deepest = if random.chance(50) { 237_500_000 } else { 950_000_000 }; // above 0.2375 the shock floor bites
    field(random, 40, "psr", 0, deepest);
    field(random, 20, "buffer", 0, 30_000_000);
    field(random, 20, "basis", 0, 60_000_000);
    field(random, 20, "lam", 0, 1_500_000_000);
    field(random, 20, "lam_opt", 0, 1_000_000_000);
    field(random, 20, "rho", 0, 200_000_000);
    // Without price risk there is nothing to hedge: the reference script leaves SPOT out there.
    let hedging = if class == "STABLE" { 0 } else { 20 };
    field(random, hedging, "hedge", 0, 1_000_000_000);
    // Together, so that the maintenance haircut stays the smaller one.
    if random.chance(30) {
        let initial = random.range(0, 1_000_000_000);
        let maintenance = random.range(0, initial);
        write!(
            text,
            ", \"h_im\": {}, \"h_mm\": {}",
            decimal(initial, 9),
            decimal(maintenance, 9)
        )
        .unwrap();
    }
    if random.chance(40) {
        write!(
            text,
            ", \"depth\": {}",
            decimal(random.magnitude(15).max(100_000_000), 8)
        )
        .unwrap();
    }
}

/// Another maintenance factor, shock floor and set of levels.
fn parameters(random: &mut Random, text: &mut String) {
    let factor = decimal(random.range(0, 1_000_000_000), 9);
    write!(text, ", \"params\": {{\"mm_factor\": {factor}").unwrap();
    if random.chance(50) {
        write!(
            text,
            ", \"shock_floor\": {}",
            decimal(-random.range(950_000_000, 1_000_000_000), 9)
        )
        .unwrap();
    }
    if random.chance(60) {
        let a = random.range(0, 1_000_000_000);
        let b = random.range(0, 1_000_000_000 - a);
        let c = 1_000_000_000 - a - b;
        write!(
            text,
            ", \"levels\": [{{\"w\": {}, \"clusters\": []}}, {{\"w\": {}, \"clusters\": [[\"BTC\", \"ETH\", \"STETH\"], \
             [\"SOL\", \"WIF\"]]}}, {{\"w\": {}, \"clusters\": [[\"AVAX\", \"BTC\", \"XBT\", \"ETH\", \"SOL\"]]}}]",
            decimal(a, 9),
            decimal(b, 9),
            decimal(c, 9)
        )
        .unwrap();
    }
    text.push('}');
}
