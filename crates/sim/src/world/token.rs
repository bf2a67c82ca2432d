//! SPL token accounts as bytes: a test world has no mint authority to ask.
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::state::{Account, AccountState, Mint};
use solana_program_option::COption;
use solana_program_pack::Pack;

/// SPL Token.
pub const TOKEN_PROGRAM: Pubkey = anchor_spl::token::ID;

/// A mint without authorities.
pub fn mint_account(decimals: u8) -> Vec<u8> {
    let mut data = vec![0; Mint::LEN];
    let mint = Mint {
        mint_authority: COption::None,
        supply: u64::MAX / 2,
        decimals,
        is_initialized: true,
        freeze_authority: COption::None,
    };
    Mint::pack(mint, &mut data).expect("a mint packs");
    data
}

/// A token account of `owner`.
pub fn token_account(mint: &Pubkey, owner: &Pubkey, amount: u64) -> Vec<u8> {
    let mut data = vec![0; Account::LEN];
    let account = Account {
        mint: *mint,
        owner: *owner,
        amount,
        state: AccountState::Initialized,
        ..Account::default()
    };
    Account::pack(account, &mut data).expect("a token account packs");
    data
}

/// The amount in a token account's data; 0 where there is none.
pub fn token_amount(data: &[u8]) -> u64 {
    Account::unpack(data).map_or(0, |a| a.amount)
}
