//! Fixed blocks of work on however many threads there are.

use crate::profile::{Watch, Work};
use crate::vector::Simd;
use rayon::prelude::*;
use std::sync::Arc;

/// Run `work` once for every task number below `tasks`. One task runs in place: starting threads for it
/// would cost more than small layers do.
pub fn for_each(tasks: usize, work: impl Fn(usize) + Sync + Send) {
    let work = |task: usize| {
        let watch = Watch::start();
        work(task);
        watch.stop(Work::Tasks);
    };
    if tasks <= 1 || rayon::current_num_threads() == 1 {
        (0..tasks).for_each(work);
    } else {
        spread(tasks, &work);
    }
}

/// On all threads. Compiled once for all kinds of work: what hands tasks to threads is much code, and a task is long beside a call.
fn spread(tasks: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..tasks).into_par_iter().with_max_len(1).for_each(work);
}

/// The most threads that may be asked for.
const MOST_THREADS: usize = 1024;
/// Bytes of a thread's stack: as much as Linux gives the main thread, whose work may be handed to [`Threads::run`].
const STACK: usize = 8 << 20;

/// Threads for kernels to run on.
///
/// Everything called within [`Threads::run`] uses these and no others, so several runs in one process may have
/// different numbers of them at the same time. Outside, kernels take as many threads as there are cores. A thread that
/// is started by hand (`std::thread::spawn`) is outside, even where it was started inside.
///
/// ```
/// let threads = wellfit_simd::Threads::new(2)?;
/// assert_eq!(threads.run(wellfit_simd::parallel::threads), 2);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone)]
pub struct Threads(Arc<rayon::ThreadPool>);

impl Threads {
    /// Start `count` threads, at most 1024; 0 takes all cores.
    ///
    /// # Errors
    /// When `count` is too large, or the system has no more threads.
    pub fn new(count: usize) -> Result<Self, String> {
        if count > MOST_THREADS {
            return Err(format!("threads must be at most {MOST_THREADS}, not {count}"));
        }
        let builder = rayon::ThreadPoolBuilder::new().num_threads(count).stack_size(STACK);
        let pool = builder.build().map_err(|e| format!("{count} threads cannot be started: {e}"))?;
        Ok(Self(Arc::new(pool)))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Do `work` on one of them, its kernels on all of them; return when it is done.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.0.install(work)
    }
}

/// The number of threads kernels run on, where this is called.
#[must_use]
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// A pointer into a result that tasks write in disjoint places.
pub struct Shared<T = f32>(*mut T);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: every user writes places that no other task touches; each use says why at its block.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// A pointer into `slice`.
    pub fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// Elements `start..start + len` as a slice.
    ///
    /// # Safety
    /// They must lie within the slice this was made from, which must outlive the result, and no other
    /// task may use them meanwhile.
    pub unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [T] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }

    /// The same from element `start` on.
    pub fn from(self, start: usize) -> Self {
        Self(self.0.wrapping_add(start))
    }

    /// The pointer itself.
    #[must_use]
    pub fn pointer(self) -> *mut T {
        self.0
    }
}

impl Shared {
    /// Write a vector from element `place` on.
    ///
    /// # Safety
    /// As for `slice`; the machine must have `S`.
    #[inline(always)]
    pub unsafe fn store<S: Simd>(self, place: usize, value: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::store(self.0.add(place), value) }
    }
}

/// Rows of `width` items in blocks of `block` rows: `work(first_row, block_of_out)` for every block.
pub fn row_blocks<T: Send>(
    out: &mut [T],
    width: usize,
    block: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let rows = out.len() / width.max(1);
    let shared = Shared::new(out);
    for_each(rows.div_ceil(block), |task| {
        let first = task * block;
        let count = block.min(rows - first);
        // SAFETY: blocks of rows are disjoint and end at the last row.
        work(first, unsafe { shared.slice(first * width, count * width) });
    });
}

/// The same for images of `rows` rows each, `[images, rows, width]`, where no block reaches into another image:
/// `work(number of the block, image, first row in it, block_of_out)`.
pub fn image_blocks<T: Send>(
    out: &mut [T],
    (rows, width): (usize, usize),
    block: usize,
    work: impl Fn(usize, usize, usize, &mut [T]) + Sync + Send,
) {
    let (images, blocks) = (out.len() / (rows * width), rows.div_ceil(block));
    let shared = Shared::new(out);
    for_each(images * blocks, |task| {
        let (image, first) = (task / blocks, task % blocks * block);
        let count = block.min(rows - first);
        // SAFETY: blocks are disjoint and end with their image.
        work(task, image, first, unsafe { shared.slice((image * rows + first) * width, count * width) });
    });
}

/// Rows of `width` floats that make a block of about 64 KiB: large enough to pay for a task, small enough
/// to stay in a core's cache.
pub fn rows_in_cache(width: usize) -> usize {
    (16_384 / width.max(1)).max(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Barrier, Mutex};
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    /// The threads that a piece of work with many tasks is done on.
    fn workers() -> HashSet<ThreadId> {
        let found = Mutex::new(HashSet::new());
        for_each(64, |_| {
            thread::sleep(Duration::from_millis(1));
            found.lock().unwrap().insert(thread::current().id());
        });
        found.into_inner().unwrap()
    }

    #[test]
    fn two_numbers_of_threads_in_one_process_do_not_meet() {
        let [one, three] = [1, 3].map(|count| Threads::new(count).unwrap());
        let both = Barrier::new(2);
        let run = |which: &Threads| {
            which.run(|| {
                both.wait();
                let (before, workers) = (threads(), workers());
                both.wait();
                (before, threads(), workers)
            })
        };
        let (of_one, of_three) = thread::scope(|scope| {
            let other = scope.spawn(|| run(&three));
            (run(&one), other.join().unwrap())
        });
        assert_eq!((of_one.0, of_one.1, of_one.2.len()), (1, 1, 1));
        assert_eq!((of_three.0, of_three.1), (3, 3));
        assert!((2..=3).contains(&of_three.2.len()), "{} threads worked", of_three.2.len());
        assert!(of_three.2.is_disjoint(&of_one.2), "a thread worked for both");
        assert_eq!((one.count(), three.clone().count()), (1, 3));
    }

    #[test]
    fn no_more_threads_than_a_machine_may_have() {
        assert_eq!(Threads::new(1025).unwrap_err(), "threads must be at most 1024, not 1025");
        assert_eq!(Threads::new(0).unwrap().run(threads), rayon::current_num_threads());
    }
}
