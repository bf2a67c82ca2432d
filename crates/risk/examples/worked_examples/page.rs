//! The page and its blocks.
use crate::figures;

const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end -->";

/// The page with the figures of every block computed again.
pub fn with_figures(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out += line;
        out.push('\n');
        let Some(name) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let block = figures::block(name).ok_or(format!("no figures are called {name}"))??;
        out += &format!("\n{block}\n{END}\n");
        if !lines.any(|line| line == END) {
            return Err(format!("the figures {name} have no {END}"));
        }
    }
    Ok(out)
}
