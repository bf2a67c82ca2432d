//! Both sides of every refusal, by hand-made accounts and readings.
mod accounts;
mod adapters;
mod guards;
mod index;
mod laws;
mod random;
mod stake_pool;
mod values;
