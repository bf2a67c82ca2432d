//! Typed accounts out of raw account data.
use anchor_lang::{Discriminator, Owner};
use bytemuck::Pod;

/// Why account data is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Another account type.
    WrongDiscriminator,
    /// Shorter than its type.
    TooShort,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            DecodeError::WrongDiscriminator => "the account is of another type",
            DecodeError::TooShort => "the account data is shorter than its type",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Reads a Ballast account from its data, discriminator included. Works on any alignment.
///
/// The caller has checked that the account is owned by the program.
pub fn decode<T: Pod + Discriminator + Owner>(data: &[u8]) -> Result<Box<T>, DecodeError> {
    let body = data
        .strip_prefix(T::DISCRIMINATOR)
        .ok_or(DecodeError::WrongDiscriminator)?;
    let body = body.get(..size_of::<T>()).ok_or(DecodeError::TooShort)?;
    let mut account: Box<T> = bytemuck::allocation::zeroed_box();
    bytemuck::bytes_of_mut(account.as_mut()).copy_from_slice(body);
    Ok(account)
}
