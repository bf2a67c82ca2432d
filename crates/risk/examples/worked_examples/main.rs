//! Writes the figures of docs/margin.md: `cargo run -q -p ballast-risk --example worked_examples`.
//!
//! Between `<!-- figures: NAME -->` and `<!-- end -->` stands what the engine computes; the text around it is left alone. A test fails when
//! page and engine differ.
mod book;
mod figures;
mod page;

use std::process::ExitCode;

fn main() -> ExitCode {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/margin.md");
    let written = std::fs::read_to_string(path)
        .map_err(|e| e.to_string())
        .and_then(|text| page::with_figures(&text))
        .and_then(|text| std::fs::write(path, text).map_err(|e| e.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {path}: {error}");
            ExitCode::FAILURE
        }
    }
}
