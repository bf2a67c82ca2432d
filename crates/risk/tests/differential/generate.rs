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
    /// Calls and puts of the same strikes, for and against each other.
    Paired,
}

/// Whether the account of this seed has slow prices and settlement windows, which the reference script does not know.
pub fn beyond_the_script(seed: u64) -> bool {
    seed % 4 == 3
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
        Style::Paired,
    ];
    let style = style[random.range(0, 6) as usize];
    let size = random.range(4, 17) as u32; // of a notional, in 10⁻⁸ dollars: up to $350m below, 40 + 8 of them
                                           // Of a hundred positions, so many are options; a quarter of the accounts have none.
    let share = [0, 30, 60, 100][random.range(0, 3) as usize];
    let mut names: Vec<usize> = (0..ASSETS.len()).collect();
    let most = if random.chance(50) { 3 } else { 12 };
    let used = random.range(1, most) as usize;
    for i in 0..used {
        let j = random.range(i as i64, ASSETS.len() as i64 - 1) as usize;
        names.swap(i, j);
    }
    names.truncate(used);

    let (slow, window) = (beyond_the_script(seed), beyond_the_script(seed) && random.chance(50));
    let mut text = String::from("{\"time\": 1800000000, \"assets\": {");
    let mut prices = Vec::new();
    for (i, &n) in names.iter().enumerate() {
        let least = if share > 0 { 100_000 } else { 1 }; // forwards and strikes are thousandths of it
        let price = (random.range(1, 9) * random.magnitude(15)).max(least); // 10⁻⁹ dollars, up to $9m
        prices.push(price);
        let (name, class) = ASSETS[n];
        let comma = if i > 0 { ", " } else { "" };
        write!(
            text,
            "{comma}\"{name}\": {{\"price\": {}, \"class\": \"{class}\"",
            decimal(price, 9)
        )
        .unwrap();
        if slow {
            let slow = (i128::from(price) * i128::from(random.range(900, 1_100)) / 1_000).max(1) as i64;
            write!(text, ", \"slow\": {}", decimal(slow, 9)).unwrap();
        }
        overrides(&mut random, class, &mut text);
        text.push('}');
    }
    text.push_str("}, \"markets\": {");
    let mut book = Book::new(&names, &prices, size, share);
    (book.slow, book.window) = (slow, window);
    let collaterals = match style {
        Style::WrongWay | Style::Covered => used.min(8),
        _ => random.range(0, used.min(8) as i64) as usize,
    };
    let count = if random.chance(10) { 40 } else { random.range(0, 40) } as usize;
    while book.positions < count {
        let asset = random.range(0, used as i64 - 1) as usize;
        let side = match style {
            Style::Long | Style::WrongWay => 1,
            Style::Short | Style::Covered => -1,
            Style::Any | Style::Hedged | Style::Paired => [1, -1][random.range(0, 1) as usize],
        };
        book.paired = style == Style::Paired;
        book.add(&mut random, asset, side, None);
        if matches!(style, Style::Hedged | Style::Paired) && book.positions < count {
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
    /// Of a hundred positions, how many are options.
    share: i64,
    slow: bool,
    window: bool,
    /// The next option has the strike of the last one, and is a call where that was a put.
    paired: bool,
    last: Option<(usize, usize, i64, bool)>,
    instruments: Vec<(usize, usize, i64, bool)>,
    /// Per asset and expiry.
    forwards: Vec<[i64; EXPIRIES.len()]>,
    positions: usize,
    last_quantity: i64,
    markets: String,
    list: String,
}

/// Seconds from now; the first is inside the window when there is one.
const EXPIRIES: [i64; 8] = [
    900, 40_000, 200_000, 1_209_600, 2_592_000, 7_862_400, 15_724_800, 63_000_000,
];
const NOW: i64 = 1_800_000_000;

impl<'a> Book<'a> {
    fn new(names: &'a [usize], prices: &'a [i64], size: u32, share: i64) -> Book<'a> {
        let forwards = prices.iter().map(|&price| {
            let mut permille = 960;
            EXPIRIES.map(|_| {
                permille += 9;
                (i128::from(price) * permille / 1_000).max(1) as i64
            })
        });
        Book {
            names,
            prices,
            size,
            share,
            slow: false,
            window: false,
            paired: false,
            last: None,
            instruments: Vec::new(),
            forwards: forwards.collect(),
            positions: 0,
            last_quantity: 0,
            markets: String::new(),
            list: String::new(),
        }
    }

    /// A quantity in 10⁻⁹ whose value at this price is of the account's size, at most $350m.
    fn quantity(&self, random: &mut Random, price: i64) -> i64 {
        let value = random.magnitude(self.size).min(35_000_000_000_000_000);
        (i128::from(value) * 10_000_000_000 / i128::from(price)).clamp(1, 1_000_000_000_000_000_000) as i64
    }

    fn add(&mut self, random: &mut Random, asset: usize, side: i64, size: Option<i64>) {
        let stable = ASSETS[self.names[asset]].1 == "STABLE";
        if !stable && random.chance(self.share) {
            self.add_option(random, asset, side, size);
            return;
        }
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
            _ => {
                let expiry = random.range(if self.window { 1 } else { 0 }, EXPIRIES.len() as i64 - 1) as usize;
                format!("\"kind\": \"future\", \"expiry\": {}", NOW + EXPIRIES[expiry])
            }
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

/// Around the forward: mostly near it, now and then far.
fn strike(random: &mut Random, forward: i64) -> i64 {
    let permille = match random.range(0, 9) {
        0 => random.range(150, 6_000),
        1 | 2 => random.range(500, 1_800),
        3 => 1_000,
        _ => random.range(850, 1_150),
    };
    (i128::from(forward) * i128::from(permille) / 1_000).max(1) as i64
}

impl Book<'_> {
    fn add_option(&mut self, random: &mut Random, asset: usize, side: i64, size: Option<i64>) {
        let mut expiry = random.range(0, EXPIRIES.len() as i64 - 1) as usize;
        let mut strike = strike(random, self.forwards[asset][expiry]);
        let mut call = random.chance(50);
        if let (true, Some((same, last_expiry, last_strike, last_call))) = (self.paired && random.chance(70), self.last)
        {
            if same == asset {
                (expiry, strike, call) = (last_expiry, last_strike, !last_call);
            }
        }
        // An account has one position in an instrument.
        while self.instruments.contains(&(asset, expiry, strike, call)) {
            strike += 1;
        }
        self.instruments.push((asset, expiry, strike, call));
        self.last = Some((asset, expiry, strike, call));
        let forward = self.forwards[asset][expiry];
        let mut quantity = self.quantity(random, forward.max(strike).max(self.prices[asset]));
        if let Some(size) = size {
            quantity = size.min(quantity.max(1));
        }
        self.last_quantity = quantity;
        // A strike has one volatility: paired options share it.
        let iv = 50_000_000 + (strike % 997) * 1_450_000 + if strike % 13 == 0 { 1_000_000_000 } else { 0 };
        let comma = if self.positions > 0 { ", " } else { "" };
        let market = format!("M{}", self.positions);
        write!(
            self.markets,
            "{comma}\"{market}\": {{\"asset\": \"{}\", \"kind\": \"option\", \"call\": {call}, \"strike\": {}, \"iv\": {}, \
             \"forward\": {}, \"expiry\": {}",
            ASSETS[self.names[asset]].0,
            decimal(strike, 9),
            decimal(iv, 9),
            decimal(forward, 9),
            NOW + EXPIRIES[expiry]
        )
        .unwrap();
        if self.slow && strike % 3 > 0 {
            let slow = iv + (strike % 7) * 10_000_000;
            write!(self.markets, ", \"slow_iv\": {}", decimal(slow, 9)).unwrap();
        }
        if self.window && expiry == 0 {
            // The same for every option of the expiry.
            write!(
                self.markets,
                ", \"fixed\": {}",
                decimal(self.prices[asset] % 60 * 16_666_666, 9)
            )
            .unwrap();
        }
        self.markets.push('}');
        let quantity = decimal(side * quantity, 9);
        write!(self.list, "{comma}{{\"market\": \"{market}\", \"qty\": {quantity}}}").unwrap();
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
    field(random, 20, "som", 0, 50_000_000);
    field(random, 20, "vol_up", 0, 1_000_000_000);
    field(random, 20, "vol_dn", 0, 1_000_000_000);
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
        let (offset, discount) = (random.range(0, 1_000_000_000), random.range(0, 200_000_000));
        write!(
            text,
            ", \"vega_offset\": {}, \"nov_discount\": {}",
            decimal(offset, 9),
            decimal(discount, 9)
        )
        .unwrap();
    }
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
