//! What std's platform layer for virtual machines without an operating system asks its host for.

extern "C" {
    fn sol_log_(text: *const u8, bytes: u64);
    fn sol_memset_(to: *mut u8, byte: u8, bytes: u64);
    fn abort() -> !;
}

/// Ends the program.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_halt() -> ! {
    abort()
}

/// Logs a message and ends the program.
///
/// # Safety
/// `text` points to `bytes` bytes.
#[no_mangle]
pub unsafe extern "C" fn sys_panic(text: *const u8, bytes: usize) -> ! {
    sol_log_(text, bytes as u64);
    abort()
}

/// Logs a message.
///
/// # Safety
/// `text` points to `bytes` bytes.
#[no_mangle]
pub unsafe extern "C" fn sys_log(text: *const u8, bytes: usize) {
    sol_log_(text, bytes as u64)
}

/// Standard output and error are the log.
///
/// # Safety
/// `text` points to `bytes` bytes.
#[no_mangle]
pub unsafe extern "C" fn sys_write(_descriptor: u32, text: *const u8, bytes: usize) {
    sol_log_(text, bytes as u64)
}

/// Standard input is empty.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_read(_descriptor: u32, _to: *mut u8, _bytes: usize) -> usize {
    0
}

/// There are no random numbers; nothing in a program may rely on them.
///
/// # Safety
/// `to` points to `words` words.
#[no_mangle]
pub unsafe extern "C" fn sys_rand(to: *mut u32, words: usize) {
    sol_memset_(to.cast(), 0x5a, 4 * words as u64)
}

/// There is no environment.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_getenv(_to: *mut u32, _words: usize, _name: *const u8, _bytes: usize) -> usize {
    usize::MAX
}

/// There are no arguments.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_argc() -> usize {
    0
}

/// There are no arguments.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_argv(_to: *mut u32, _index: usize) -> usize {
    0
}

/// The program's own allocator is used; this one has nothing to give.
///
/// # Safety
/// None needed.
#[no_mangle]
pub unsafe extern "C" fn sys_alloc_aligned(_bytes: usize, _align: usize) -> *mut u8 {
    core::ptr::null_mut()
}
