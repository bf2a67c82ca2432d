//! What was measured against what is allowed.

struct Row {
    name: String,
    measured: u64,
    ceiling: u64,
}

/// Measurements in the order in which they were made.
pub struct Table {
    what: &'static str,
    unit: &'static str,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table of `what`, measured in `unit`.
    pub fn new(what: &'static str, unit: &'static str) -> Table {
        let rows = Vec::new();
        Table { what, unit, rows }
    }

    /// Adds a measurement.
    pub fn add(&mut self, name: &str, measured: u64, ceiling: u64) {
        self.rows.push(Row {
            name: name.to_owned(),
            measured,
            ceiling,
        });
    }

    /// Prints all of it, then asserts that nothing is over its ceiling.
    pub fn print_and_check(&self) {
        println!("| {:<50} | {:>13} | {:>8} |", self.what, self.unit, "ceiling");
        println!("|{:-<52}|{:->14}:|{:->9}:|", "", "", "");
        for row in &self.rows {
            println!("| {:<50} | {:>13} | {:>8} |", row.name, row.measured, row.ceiling);
        }
        let over: Vec<_> = self
            .rows
            .iter()
            .filter(|r| r.measured > r.ceiling)
            .map(|r| r.name.as_str())
            .collect();
        assert!(over.is_empty(), "over the ceiling: {over:?}");
        assert!(self.rows.iter().all(|r| r.measured > 0), "something was not measured");
    }
}
