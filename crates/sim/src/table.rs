//! Tables and amounts for people.
use std::fmt;

/// Rows under a header: the first column to the left, the others to the right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this header.
    pub fn new(header: &[&str]) -> Table {
        Table {
            header: header.iter().map(|h| (*h).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let columns = lines().map(Vec::len).max().unwrap_or(0);
        let cell = |line: &[String], column: usize| line.get(column).cloned().unwrap_or_default();
        let width = |column| lines().map(|l| cell(l, column).chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (n, line) in lines().enumerate() {
            let mut text = String::from(" ");
            for (column, width) in widths.iter().enumerate() {
                let cell = cell(line, column);
                let padded = match column {
                    0 => format!(" {cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                };
                text.push_str(&padded);
            }
            writeln!(f, "{}", text.trim_end())?;
            if n == 0 {
                let rules: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
                writeln!(f, "  {}", rules.join("  "))?;
            }
        }
        Ok(())
    }
}

/// An integer with its thousands apart.
pub fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0 {
        out.insert(0, '-');
    }
    out
}

/// `units` of 10^−`decimals` with `shown` decimals, rounded half away from zero.
pub fn decimal(units: i128, decimals: u32, shown: u32) -> String {
    let step = 10i128.pow(decimals.saturating_sub(shown));
    let rounded = (units.abs() + step / 2) / step;
    let one = 10i128.pow(shown.min(decimals));
    let sign = if units < 0 && rounded != 0 { "-" } else { "" };
    let whole = grouped(rounded / one);
    match shown.min(decimals) {
        0 => format!("{sign}{whole}"),
        shown => format!("{sign}{whole}.{:0width$}", rounded % one, width = shown as usize),
    }
}

/// Dollars (10⁻⁸) with cents.
pub fn dollars(units: i64) -> String {
    decimal(units.into(), 8, 2)
}

/// Quote units (10⁻⁶) with cents.
pub fn quote(units: impl Into<i128>) -> String {
    decimal(units.into(), 6, 2)
}

/// A board price (10⁻⁹ USD) with cents.
pub fn price(units: i64) -> String {
    decimal(units.into(), 9, 2)
}

/// A health in 10⁻⁹; a dash where nothing is required.
pub fn health(ppb: Option<i64>) -> String {
    ppb.map_or_else(|| "-".into(), |h| decimal(h.into(), 9, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_and_decimals() {
        assert_eq!(
            [0, 7, 999, 1_000, -1_234_567].map(grouped),
            ["0", "7", "999", "1,000", "-1,234,567"]
        );
        assert_eq!(dollars(1_200_000_000_000), "12,000.00");
        assert_eq!(dollars(-1_500_000), "-0.02"); // 1.5 cents, away from zero
        assert_eq!(dollars(-400_000), "0.00");
        assert_eq!(quote(20_000_000_001i64), "20,000.00");
        assert_eq!(decimal(5, 0, 2), "5");
        assert_eq!(decimal(1_999_999_999, 9, 3), "2.000");
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["name", "amount"]);
        table.row(["a".into(), "1".into()]);
        table.row(["longer".into(), "1,000,000".into()]);
        let expected = "  name       amount\n  ------  ---------\n  a               1\n  longer  1,000,000\n";
        assert_eq!(table.to_string(), expected);
    }
}
