//! docs/margin.md shows what the engine computes.
#[path = "../examples/worked_examples/book.rs"]
mod book;
#[path = "../examples/worked_examples/figures.rs"]
mod figures;
#[path = "../examples/worked_examples/page.rs"]
mod page;

#[test]
fn the_page_shows_the_engines_figures() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/margin.md");
    let text = std::fs::read_to_string(path).expect("the page");
    assert!(text.matches("<!-- figures: ").count() >= 12, "figures are missing");
    let fresh = page::with_figures(&text).expect("figures");
    for (shown, computed) in text.lines().zip(fresh.lines()) {
        assert_eq!(
            shown, computed,
            "run `cargo run -q -p ballast-risk --example worked_examples`"
        );
    }
    assert_eq!(text.lines().count(), fresh.lines().count());
}
