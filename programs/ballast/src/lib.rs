#![allow(missing_docs)]
use anchor_lang::prelude::*;
declare_id!("BLSTxFhSiQmGqBBS4HxB6a8hsWoYt9DRGo1JECPhZUvH");
#[program]
pub mod ballast {
    use super::*;
    pub fn noop(_ctx: Context<Noop>) -> Result<()> {
        Ok(())
    }
}
#[derive(Accounts)]
pub struct Noop {}
