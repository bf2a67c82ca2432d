//! Little-endian fields of an account's data, and addresses.
use crate::OracleError;

/// N bytes at an offset.
pub(crate) fn bytes<const N: usize>(data: &[u8], offset: usize) -> Result<[u8; N], OracleError> {
    data.get(offset..offset.saturating_add(N))
        .and_then(|slice| slice.try_into().ok())
        .ok_or(OracleError::WrongLayout)
}

/// One byte.
pub(crate) fn byte(data: &[u8], offset: usize) -> Result<u8, OracleError> {
    data.get(offset).copied().ok_or(OracleError::WrongLayout)
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("A `", stringify!($type), "`.")]
        pub(crate) fn $name(data: &[u8], offset: usize) -> Result<$type, OracleError> {
            bytes(data, offset).map(<$type>::from_le_bytes)
        }
    )*};
}

integers!(u32_at: u32, i32_at: i32, u64_at: u64, i64_at: i64, i128_at: i128);

/// The 32 bytes of a base58 address; fails to compile, where it is a constant, when the address has another length or a foreign digit.
pub(crate) const fn address(base58: &str) -> [u8; 32] {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let text = base58.as_bytes();
    let mut out = [0u8; 32];
    let mut i = 0;
    while i < text.len() {
        let mut digit = 0;
        while ALPHABET[digit] != text[i] {
            digit = digit.wrapping_add(1);
        }
        // out = out · 58 + digit
        let mut carry = digit as u32;
        let mut at = out.len();
        while at > 0 {
            at = at.wrapping_sub(1);
            carry = (out[at] as u32).wrapping_mul(58).wrapping_add(carry);
            out[at] = carry as u8;
            carry >>= 8;
        }
        assert!(carry == 0);
        i = i.wrapping_add(1);
    }
    out
}
