//! Decoders that others wrote may panic on a damaged file; here that becomes the file's error.
//!
//! A panic in such a crate would end a whole run without a word about the file. So each call into them goes through
//! [`guarded`], which catches the panic. This needs panics that unwind, which is Rust's default (`panic = "abort"` in a
//! profile would turn it off). Our own code is not guarded: a panic there is a defect that tests should see.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside a foreign decoder.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What `decode` gives; if it panics, the first line of its message, of which nothing appears on standard error.
///
/// The message is kept back by a hook that is put before the one of the process the first time. It is silent only on
/// threads that are in here at that moment; all other panics are reported as before.
///
/// # Errors
/// If `decode` panics.
pub fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if !INSIDE.try_with(Cell::get).unwrap_or(false) {
                before(info);
            }
        }));
    });
    let outer = INSIDE.replace(true);
    // What `decode` had a hold of is dropped with it, or must not be used after an error.
    let result = catch_unwind(AssertUnwindSafe(decode));
    INSIDE.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_the_thread_goes_on() {
        for _ in 0..2 {
            let result: Result<(), String> = guarded(|| panic!("index {} of 3\nmore", 7));
            assert_eq!(result, Err("index 7 of 3".into()));
            assert!(!INSIDE.get());
        }
        assert_eq!(guarded(|| 3), Ok(3));
    }
}
