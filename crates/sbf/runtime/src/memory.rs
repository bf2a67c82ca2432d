//! C's memory functions, by Solana's syscalls.

extern "C" {
    fn sol_memmove_(to: *mut u8, from: *const u8, bytes: u64);
    fn sol_memset_(to: *mut u8, byte: u8, bytes: u64);
    fn sol_memcmp_(a: *const u8, b: *const u8, bytes: u64, result: *mut i32);
}

/// # Safety
/// As C's.
#[no_mangle]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    // Not sol_memcpy_, which aborts on overlap even when both ends are the same, which rustc emits.
    sol_memmove_(to, from, bytes as u64);
    to
}

/// # Safety
/// As C's.
#[no_mangle]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    sol_memmove_(to, from, bytes as u64);
    to
}

/// # Safety
/// As C's.
#[no_mangle]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, bytes: usize) -> *mut u8 {
    sol_memset_(to, byte as u8, bytes as u64);
    to
}

/// # Safety
/// As C's.
#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    let mut result = 0;
    sol_memcmp_(a, b, bytes as u64, &mut result);
    // The machine wrote it behind the compiler's back.
    core::ptr::read_volatile(&result)
}

/// # Safety
/// As C's.
#[no_mangle]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    memcmp(a, b, bytes)
}
