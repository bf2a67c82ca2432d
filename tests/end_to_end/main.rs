//! Each instruction's effect and refusals, against the compiled program.
mod margin_figures;
