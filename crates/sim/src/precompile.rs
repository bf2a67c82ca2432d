//! Solana's Ed25519 program. The validators' own code of it comes with OpenSSL, which the embedded VM would have to build; `tests/bank` runs
//! the program with that code. Here as there the signatures of all instructions are checked before the first one is executed.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::quote::ED25519_PROGRAM;
use litesvm::LiteSVM;
use solana_instruction_error::InstructionError;
use solana_program_runtime::solana_sbpf::program::BuiltinFunctionDefinition;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;

/// Compute units of one of its instructions here; on the chain it takes none.
pub const COST: u64 = 1;

#[allow(missing_docs)] // the macro's item has none
mod checked {
    // Nothing is left to do when the instruction's turn comes; the VM wants a builtin program to use something.
    solana_program_runtime::declare_process_instruction!(Checked, super::COST, |_context| { Ok(()) });
}

/// Puts the program in place.
pub fn install(svm: &mut LiteSVM) {
    svm.add_builtin(ED25519_PROGRAM, checked::Checked::register);
}

/// Compute units that its instructions take here and do not on the chain.
pub fn cost(instructions: &[Instruction]) -> u64 {
    let ours = instructions.iter().filter(|i| i.program_id == ED25519_PROGRAM);
    ours.map(|_| COST).sum()
}

/// Checks what every Ed25519 instruction of a transaction refers to, in whichever instruction that is.
///
/// # Errors
/// The number of the first instruction that does not hold.
pub fn verify(instructions: &[Instruction]) -> Result<(), TransactionError> {
    for (at, instruction) in instructions.iter().enumerate() {
        if instruction.program_id == ED25519_PROGRAM && !holds(instruction, instructions) {
            let at = u8::try_from(at).unwrap_or(u8::MAX);
            let error = InstructionError::InvalidInstructionData;
            return Err(TransactionError::InstructionError(at, error));
        }
    }
    Ok(())
}

/// Whether every signature that the instruction lists is good: a count, a byte that is not read, and of each signature, key and message
/// where they are.
fn holds(instruction: &Instruction, all: &[Instruction]) -> bool {
    let data = &instruction.data;
    let Some(([count, _], lists)) = data.split_first_chunk::<2>() else {
        return false;
    };
    let count = usize::from(*count);
    if lists.len() < count * 14 || (count == 0 && !lists.is_empty()) {
        return false;
    }
    lists.chunks_exact(14).take(count).all(|list| {
        let field = |at: usize| usize::from(u16::from_le_bytes([list[2 * at], list[2 * at + 1]]));
        let part = |index: usize, from: usize, len: usize| {
            let data = match index {
                0xffff => Some(data),
                other => all.get(other).map(|i| &i.data),
            };
            data.and_then(|d| d.get(from..from + len))
        };
        let signature = part(field(1), field(0), 64).and_then(|s| Signature::try_from(s).ok());
        let key = part(field(3), field(2), size_of::<Pubkey>());
        let message = part(field(6), field(4), field(5));
        matches!((signature, key, message), (Some(s), Some(k), Some(m)) if s.verify(k, m))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_ed25519_program::{new_ed25519_instruction_with_signature, offsets_to_ed25519_instruction};
    use solana_keypair::{Keypair, Signer};

    fn proof(message: &[u8]) -> Instruction {
        let key = Keypair::new_from_array([9; 32]);
        let signature = key.sign_message(message);
        new_ed25519_instruction_with_signature(message, signature.as_array(), &key.pubkey().to_bytes())
    }

    #[test]
    fn a_good_signature_holds_and_any_other_bit_does_not() {
        let good = proof(b"a quote");
        assert_eq!(verify(std::slice::from_ref(&good)), Ok(()));
        for at in (0..good.data.len()).filter(|at| *at != 1) {
            let mut bad = good.clone();
            bad.data[at] ^= 0x40;
            assert!(verify(&[bad]).is_err(), "byte {at}");
        }
    }

    /// What an Ed25519 instruction refers to may lie in another instruction, and there may be none or several.
    #[test]
    fn the_program_takes_more_than_a_quote_may_use() {
        let good = proof(b"a quote");
        assert_eq!(verify(&[offsets_to_ed25519_instruction(&[])]), Ok(()));
        let mut elsewhere = good.clone();
        elsewhere.data.truncate(16);
        for at in [4, 8, 14] {
            elsewhere.data[at..at + 2].copy_from_slice(&[1, 0]);
        }
        assert_eq!(verify(&[elsewhere.clone(), good.clone()]), Ok(()));
        assert!(verify(&[elsewhere, Instruction { data: vec![], ..good }]).is_err());
    }
}
