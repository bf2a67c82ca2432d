//! Genesis of an exchange: idempotent, so that it can be run again after it was interrupted.
//!
//! What is listed is in [`config`], how in [`genesis`]. The transport is the caller's: anything that can read an account and send a
//! transaction implements [`Chain`].
pub mod config;
pub mod genesis;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use solana_keypair::Keypair;

/// A chain that genesis runs on.
pub trait Chain {
    /// Why something failed.
    type Error;

    /// The data of an account, or nothing where there is none.
    fn account_data(&self, key: &Pubkey) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Lamports that keep an account of `len` bytes alive.
    fn rent(&self, len: usize) -> Result<u64, Self::Error>;

    /// Sends one transaction, signed by the payer and `signers`, and waits for it.
    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), Self::Error>;
}
