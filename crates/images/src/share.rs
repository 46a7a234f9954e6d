//! Memory that pictures share which are decoded at the same time.
//!
//! One picture at the limit of 50 megapixels may take 715 MiB while it is decoded, and a loader decodes as many at once as
//! it has threads. So large ones wait until there is room for them within [`MOST`], which belongs to the whole process, as
//! its memory does. One picture is always let in, and nothing waits that holds memory already: no two can wait for each
//! other. Nothing depends on the order in which they are let in.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};

/// The most bytes that large pictures take together while they are decoded, unless one alone takes more.
pub const MOST: u64 = 1 << 30;
/// A picture that takes less is let in without a question: most are of this kind.
const SMALL: u64 = 16 << 20;

static SHARED: Share = Share { used: Mutex::new(0), freed: Condvar::new() };

thread_local! {
    /// What this thread's picture has been given; none outside [`sharing_memory`].
    static HELD: Cell<Option<u64>> = const { Cell::new(None) };
}

struct Share {
    used: Mutex<u64>,
    freed: Condvar,
}

/// Run `work`, in which pictures are decoded, one at a time: what they need is given back in the end. Around what is done
/// to a decoded picture, too, it keeps large ones from piling up before they are made smaller.
pub fn sharing_memory<T>(work: impl FnOnce() -> T) -> T {
    let _visit = HELD.get().is_none().then(Visit::begin);
    work()
}

/// The time between the first and the last use of memory, also if the work panics.
struct Visit;

impl Visit {
    fn begin() -> Self {
        HELD.set(Some(0));
        Self
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let held = HELD.take().unwrap_or(0);
        if held > 0 {
            *SHARED.used.lock().unwrap_or_else(PoisonError::into_inner) -= held;
            SHARED.freed.notify_all();
        }
    }
}

/// A picture is about to take so many bytes. It may have to wait.
pub(crate) fn reserve(bytes: u64) {
    let Some(held) = HELD.get().filter(|held| bytes >= SMALL && bytes > *held) else { return };
    let mut used = SHARED.used.lock().unwrap_or_else(PoisonError::into_inner);
    if held == 0 {
        used = SHARED
            .freed
            .wait_while(used, |used| *used > 0 && *used + bytes > MOST)
            .unwrap_or_else(PoisonError::into_inner);
    }
    *used += bytes - held;
    HELD.set(Some(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn large_pictures_wait_for_each_other_and_small_ones_do_not() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let one = |bytes: u64| {
            sharing_memory(|| {
                sharing_memory(|| reserve(bytes));
                most.fetch_max(now.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                now.fetch_sub(bytes, Ordering::SeqCst);
                reserve(bytes / 2);
            });
        };
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| one(MOST / 5 * 2));
            }
        });
        assert_eq!(most.swap(0, Ordering::SeqCst), MOST / 5 * 4, "two at a time");
        one(2 * MOST);
        assert_eq!(most.load(Ordering::SeqCst), 2 * MOST, "alone it is let in");
        let _ = std::panic::catch_unwind(|| {
            sharing_memory(|| {
                reserve(MOST);
                panic!("a decoder's");
            })
        });
        assert_eq!(*SHARED.used.lock().unwrap(), 0);
        assert_eq!(HELD.get(), None);
    }
}
