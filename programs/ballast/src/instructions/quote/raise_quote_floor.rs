//! `raise_quote_floor`: a maker takes every quote under a nonce back, and opens room for as many above.
use anchor_lang::prelude::*;

use super::ManageQuotes;
use crate::events::QuoteFloorRaised;

/// Makes every nonce under `floor` void.
#[access_control(ctx.accounts.validate())]
pub(crate) fn raise_quote_floor<'info>(ctx: Context<'info, ManageQuotes<'info>>, floor: u64) -> Result<()> {
    ctx.accounts.quote_ledger.load_mut()?.raise_floor(floor)?;
    emit_cpi!(QuoteFloorRaised {
        margin_account: ctx.accounts.margin_account.key(),
        floor,
    });
    Ok(())
}
