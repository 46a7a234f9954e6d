//! Fixed blocks of work on however many threads there are.

use crate::profile::{Watch, Work};
use crate::vector::Simd;
use rayon::prelude::*;

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
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Set the number of threads of every kernel; 0 takes all cores. Call once, before the first kernel.
///
/// # Errors
/// When the threads cannot be started, or were already.
pub fn set_threads(threads: usize) -> Result<(), String> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|e| e.to_string())
}

/// The number of threads kernels run on.
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

/// Rows of `width` floats that make a block of about 64 KiB: large enough to pay for a task, small enough
/// to stay in a core's cache.
pub fn rows_in_cache(width: usize) -> usize {
    (16_384 / width.max(1)).max(4)
}
