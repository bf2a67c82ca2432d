//! The proof that a message was signed: the Ed25519 program's instruction in front of ours.
//!
//! That program checks whatever its offsets point at, in any instruction of the transaction. So its instruction is accepted in one form
//! only, the one that every builder of a single signature makes: one signature, and key, signature and message side by side in the
//! instruction's own data, with nothing besides.
use anchor_lang::prelude::*;
use solana_instructions_sysvar::{load_current_index_checked, load_instruction_at_checked};

use crate::error::{ensure, fail, BallastError};

/// The program that checks Ed25519 signatures.
pub const ED25519_PROGRAM: Pubkey = pubkey!("Ed25519SigVerify111111111111111111111111111");

/// Offset of the key: behind the number of signatures, a padding byte and seven offsets of two bytes.
const KEY: u16 = 16;
/// Offset of the signature.
const SIGNATURE: u16 = KEY + 32;
/// Offset of the message.
const MESSAGE: u16 = SIGNATURE + 64;
/// Stands for the instruction itself.
const ITSELF: u16 = u16::MAX;

/// A message and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key.
    pub signer: Pubkey,
    /// The message.
    pub message: Vec<u8>,
}

/// What the instruction right in front of the current one proves. `instructions` is the sysvar of the transaction's instructions.
///
/// # Errors
/// [`BallastError::QuoteNotProved`] when it is no Ed25519 instruction in the one form that is accepted.
pub fn signed_message(instructions: &AccountInfo) -> Result<Signed> {
    let current = load_current_index_checked(instructions)?;
    let before = current.checked_sub(1).ok_or(BallastError::QuoteNotProved)?;
    let proof = load_instruction_at_checked(usize::from(before), instructions)?;
    ensure!(proof.program_id == ED25519_PROGRAM, BallastError::QuoteNotProved);
    let (signer, message) = parse(&proof.data, before).ok_or_else(|| fail(BallastError::QuoteNotProved))?;
    let message = message.to_vec();
    Ok(Signed { signer, message })
}

/// Key and message of the data of the Ed25519 instruction at `index`, if they are where they have to be.
fn parse(data: &[u8], index: u16) -> Option<(Pubkey, &[u8])> {
    let (head, rest) = data.split_first_chunk::<16>()?;
    let (key, rest) = rest.split_first_chunk::<32>()?;
    let (_, message) = rest.split_first_chunk::<64>()?;
    let (count, numbers) = head.split_first_chunk::<2>()?;
    let mut fields = [0u16; 7];
    for (field, bytes) in fields.iter_mut().zip(numbers.chunks_exact(2)) {
        *field = u16::from_le_bytes(bytes.try_into().ok()?);
    }
    let [signature, signature_in, public_key, public_key_in, start, length, message_in] = fields;
    let all = *count == [1, 0]
        && [public_key, signature, start] == [KEY, SIGNATURE, MESSAGE]
        && usize::from(length) == message.len()
        && [signature_in, public_key_in, message_in]
            .iter()
            .all(|i| *i == ITSELF || *i == index);
    all.then_some((Pubkey::new_from_array(*key), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: u16 = 3;

    /// The documented form: number of signatures, padding, offsets; key, signature, message.
    fn instruction(fields: [u16; 7], message: &[u8]) -> Vec<u8> {
        let mut data = vec![1, 0];
        data.extend(fields.iter().flat_map(|f| f.to_le_bytes()));
        data.extend([5; 32]);
        data.extend([6; 64]);
        data.extend(message);
        data
    }

    const FIELDS: [u16; 7] = [48, 0xffff, 16, 0xffff, 112, 4, 0xffff];

    #[test]
    fn reads_key_and_message() {
        let expected = Some((Pubkey::new_from_array([5; 32]), &b"abcd"[..]));
        assert_eq!(parse(&instruction(FIELDS, b"abcd"), INDEX), expected);
        // Its own number stands for itself too.
        let by_number = [48, INDEX, 16, INDEX, 112, 4, INDEX];
        assert_eq!(parse(&instruction(by_number, b"abcd"), INDEX), expected);
    }

    #[test]
    fn refuses_every_other_offset_and_instruction() {
        for at in 0..FIELDS.len() {
            for other in [0, 1, 2, 15, 17, 47, 49, 111, 113, 3, 5, 0xfffe] {
                let mut fields = FIELDS;
                fields[at] = other;
                let same =
                    fields == FIELDS || (at % 2 == 1 && at != 5 && other == INDEX) || (at == 6 && other == INDEX);
                let refused = parse(&instruction(fields, b"abcd"), INDEX).is_none();
                assert_eq!(refused, !same, "field {at} as {other}");
            }
        }
    }

    #[test]
    fn refuses_other_numbers_of_signatures() {
        for count in [0, 2, 255] {
            let mut data = instruction(FIELDS, b"abcd");
            data[0] = count;
            assert_eq!(parse(&data, INDEX), None);
        }
        let mut padded = instruction(FIELDS, b"abcd");
        padded[1] = 1;
        assert_eq!(parse(&padded, INDEX), None);
    }

    #[test]
    fn refuses_what_is_cut_off_or_goes_on() {
        let data = instruction(FIELDS, b"abcd");
        for len in 0..data.len() {
            assert_eq!(parse(&data[..len], INDEX), None, "{len} bytes");
        }
        let mut longer = data.clone();
        longer.push(0);
        assert_eq!(parse(&longer, INDEX), None);
    }
}
