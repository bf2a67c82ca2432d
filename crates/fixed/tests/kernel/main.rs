//! The pricing kernel against exact arithmetic, published values and its own promises.
mod accuracy;
mod monotone;
mod plots;
mod promises;
mod published;
mod reference;
mod sample;
mod wide;
