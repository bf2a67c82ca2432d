//! Addresses that the program derives.
use anchor_lang::prelude::Pubkey;
use ballast::seeds;

fn find(parts: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(parts, &ballast::ID).0
}

/// An exchange and what hangs on it. The board is no derived address: it is read from the exchange account, or chosen at creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The exchange account.
    pub key: Pubkey,
    /// Its risk board.
    pub board: Pubkey,
    /// The quote mint.
    pub quote_mint: Pubkey,
}

impl Exchange {
    /// The exchange with this id.
    pub fn new(id: u64, board: Pubkey, quote_mint: Pubkey) -> Exchange {
        Exchange {
            key: find(&[seeds::EXCHANGE, &id.to_le_bytes()]),
            board,
            quote_mint,
        }
    }

    /// Totals of the quote asset.
    pub fn quote_pool(&self) -> Pubkey {
        find(&[seeds::QUOTE_POOL, self.key.as_ref()])
    }

    /// The insurance fund.
    pub fn insurance_fund(&self) -> Pubkey {
        find(&[seeds::INSURANCE_FUND, self.key.as_ref()])
    }

    /// A mint as collateral.
    pub fn collateral(&self, mint: &Pubkey) -> Pubkey {
        find(&[seeds::COLLATERAL, self.key.as_ref(), mint.as_ref()])
    }

    /// The vault of a mint.
    pub fn vault(&self, mint: &Pubkey) -> Pubkey {
        find(&[seeds::VAULT, self.key.as_ref(), mint.as_ref()])
    }

    /// The value feeds of an expiry's surface.
    pub fn surface_source(&self, asset: u8, expiry: i64) -> Pubkey {
        find(&[
            seeds::SURFACE_SOURCE,
            self.key.as_ref(),
            &[asset],
            &expiry.to_le_bytes(),
        ])
    }

    /// A wallet's owner record.
    pub fn owner_record(&self, wallet: &Pubkey) -> Pubkey {
        find(&[seeds::OWNER, self.key.as_ref(), wallet.as_ref()])
    }

    /// What a margin account's signed quotes have filled and cancelled.
    pub fn quote_ledger(&self, margin_account: &Pubkey) -> Pubkey {
        find(&[seeds::QUOTE_LEDGER, margin_account.as_ref()])
    }

    /// One of a wallet's margin accounts.
    pub fn margin_account(&self, wallet: &Pubkey, index: u16) -> Pubkey {
        find(&[
            seeds::MARGIN_ACCOUNT,
            self.key.as_ref(),
            wallet.as_ref(),
            &index.to_le_bytes(),
        ])
    }
}

/// Signs the program's events.
pub fn event_authority() -> Pubkey {
    find(&[b"__event_authority"])
}
