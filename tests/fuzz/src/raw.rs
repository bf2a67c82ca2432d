//! Memory as it comes: what no instruction of the program would leave in an account.
use ballast::state::{MarginAccount, RiskBoard, VERSION};

use crate::Bytes;

/// Board and account of bytes, over and over until they are full. Versions are mostly right, else nothing would be looked at.
pub fn cast(bytes: &mut Bytes) -> (Box<RiskBoard>, Box<MarginAccount>) {
    let mut board: Box<RiskBoard> = bytemuck::allocation::zeroed_box();
    let mut account: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    let right = bytes.byte();
    let counts = [bytes.byte(), bytes.byte()];
    let mut pattern = Vec::new();
    while !bytes.is_empty() {
        pattern.push(bytes.byte());
    }
    let mut endless = pattern.iter().copied().cycle();
    for byte in bytemuck::bytes_of_mut(&mut *account)
        .iter_mut()
        .chain(bytemuck::bytes_of_mut(&mut *board))
    {
        *byte = endless.next().unwrap_or(0);
    }
    if right != 0 {
        (board.version, account.version) = (VERSION, VERSION);
        board.asset_count = counts[0] % 40;
        account.position_count = counts[1] % 50;
    }
    (board, account)
}

/// Overwrites up to eight bytes at up to sixteen places of board and account, until the input ends.
pub fn patch(bytes: &mut Bytes, board: &mut RiskBoard, account: &mut MarginAccount) {
    for _ in 0..16 {
        if bytes.is_empty() {
            return;
        }
        let memory = if bytes.flag() {
            bytemuck::bytes_of_mut(account)
        } else {
            bytemuck::bytes_of_mut(board)
        };
        // Fields begin at multiples of a byte, and the numbers among them at multiples of eight.
        let at = if bytes.flag() {
            bytes.index(memory.len())
        } else {
            bytes.index(memory.len() / 8) * 8
        };
        let value = match bytes.byte() {
            0..=31 => i64::MAX as u64,
            32..=63 => i64::MIN as u64,
            64..=95 => 1,
            96..=127 => u64::MAX,
            _ => bytes.bits(),
        };
        for (slot, byte) in memory[at..].iter_mut().zip(value.to_le_bytes()) {
            *slot = byte;
        }
    }
}
