//! Memory that is reused between training steps.
//!
//! A training step asks for the same few hundred buffers every time. Fresh memory costs a page fault per
//! 4 KiB, which for small layers is more than their arithmetic, so a dropped [`Buffer`] goes back to a
//! pool. The pool never holds more than a quarter ([`keep_idle`]) above what was once in use at the same time; beyond
//! that the blocks that were dropped longest ago go back to the system. Large blocks ask for huge pages.

use crate::parallel::row_blocks;
use crate::vector::Element;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One cache line, and the width of the widest vector register.
const ALIGN: usize = 64;
const HUGE_PAGE: usize = 2 << 20;
/// Numbers that one task sets to zero.
const ZEROED: usize = 1 << 16;

/// `len` numbers on a 64-byte boundary, from the pool and back to it.
#[derive(Debug)]
pub struct Buffer<E: Element = f32> {
    block: Block,
    len: usize,
    numbers: PhantomData<E>,
}

#[derive(Debug)]
struct Block {
    start: NonNull<f32>,
    /// In floats; 0 for the empty block, which owns nothing.
    capacity: usize,
    /// When it was dropped, in drops.
    dropped: u64,
}

// SAFETY: a block is plain owned memory; the pointer is never shared between two blocks.
unsafe impl Send for Block {}
// SAFETY: shared access only reads (`Deref`), as for a `Vec<f32>`.
unsafe impl Sync for Block {}

impl Block {
    fn new(capacity: usize) -> Self {
        let layout = Self::layout(capacity);
        // SAFETY: the layout is not empty, `take` never asks for zero floats.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }.cast::<f32>()) else {
            handle_alloc_error(layout)
        };
        want_huge_pages(start, layout);
        // SAFETY: `capacity` floats were allocated; zero bytes are the float 0.
        unsafe { start.write_bytes(0, capacity) };
        Self { start, capacity, dropped: 0 }
    }

    /// One that owns nothing.
    fn empty() -> Self {
        Self { start: NonNull::dangling(), capacity: 0, dropped: 0 }
    }

    /// Large blocks begin at a huge page.
    fn layout(capacity: usize) -> Layout {
        let align = if capacity * size_of::<f32>() >= HUGE_PAGE { HUGE_PAGE } else { ALIGN };
        Layout::array::<f32>(capacity)
            .and_then(|layout| layout.align_to(align))
            .unwrap_or_else(|_| panic!("a buffer of {capacity} floats is beyond the address space"))
    }
}

/// Fewer page faults and fewer misses of the address cache. Only a wish: whether it is granted changes no
/// result.
#[cfg(target_os = "linux")]
fn want_huge_pages(start: NonNull<f32>, layout: Layout) {
    if layout.align() == HUGE_PAGE {
        // SAFETY: the range was just allocated, and the advice does not change its contents.
        unsafe { libc::madvise(start.as_ptr().cast(), layout.size(), libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn want_huge_pages(_: NonNull<f32>, _: Layout) {}

impl Drop for Block {
    fn drop(&mut self) {
        if self.capacity > 0 {
            // SAFETY: allocated in `new` with the same layout, and owned by this block alone.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.capacity)) }
        }
    }
}

struct Pool {
    free: BTreeMap<usize, Vec<Block>>,
    free_floats: usize,
    used_floats: usize,
    peak_floats: usize,
    idle_quarters: usize,
    drops: u64,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    free: BTreeMap::new(),
    free_floats: 0,
    used_floats: 0,
    peak_floats: 0,
    idle_quarters: 1,
    drops: 0,
});

/// How much the pool holds above what was once in use at the same time, in quarters of that. Where nothing is trained, a pass
/// uses a few blocks at a time, each layer its own: they would go back and forth between the pool and the system.
pub fn keep_idle(quarters: usize) {
    pool().idle_quarters = quarters;
}

fn pool() -> MutexGuard<'static, Pool> {
    // A panic elsewhere cannot leave the pool half changed: nothing in here panics between two updates.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// The smallest free block that holds `len` floats and is not more than half empty.
    fn take(&mut self, len: usize) -> Option<Block> {
        let (&capacity, blocks) = self.free.range_mut(len..=len.saturating_mul(2)).next()?;
        let block = blocks.pop();
        if blocks.is_empty() {
            self.free.remove(&capacity);
        }
        self.free_floats -= capacity;
        block
    }

    fn put(&mut self, mut block: Block) {
        self.drops += 1;
        block.dropped = self.drops;
        self.used_floats -= block.capacity;
        self.free_floats += block.capacity;
        self.free.entry(block.capacity).or_default().push(block);
        while self.free_floats + self.used_floats
            > self.peak_floats + self.peak_floats / 4 * self.idle_quarters
        {
            self.evict();
        }
    }

    /// Give the block that was dropped longest ago back to the system. Blocks of one size are a stack, so
    /// its oldest is the first.
    fn evict(&mut self) {
        let oldest = self.free.iter().min_by_key(|(_, blocks)| blocks.first().map(|block| block.dropped));
        let Some(capacity) = oldest.map(|(&capacity, _)| capacity) else { return };
        if let Some(blocks) = self.free.get_mut(&capacity) {
            blocks.remove(0);
            if blocks.is_empty() {
                self.free.remove(&capacity);
            }
        }
        self.free_floats -= capacity;
    }
}

impl<E: Element> Buffer<E> {
    /// `len` numbers with unspecified (but initialised) contents: for results that are written whole.
    #[must_use]
    pub fn scratch(len: usize) -> Self {
        if len == 0 {
            return Self { block: Block::empty(), len: 0, numbers: PhantomData };
        }
        let floats = len.saturating_mul(size_of::<E>()).div_ceil(size_of::<f32>());
        let capacity = floats.next_multiple_of(ALIGN / size_of::<f32>());
        let mut pool = pool();
        let found = pool.take(capacity);
        let real = found.as_ref().map_or(capacity, |block| block.capacity);
        pool.used_floats += real;
        pool.peak_floats = pool.peak_floats.max(pool.used_floats);
        drop(pool);
        Self { block: found.unwrap_or_else(|| Block::new(real)), len, numbers: PhantomData }
    }

    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let mut buffer = Self::scratch(len);
        row_blocks(&mut buffer, 1, ZEROED, |_, part| part.fill(E::default()));
        buffer
    }

    /// A copy of `values`.
    #[must_use]
    pub fn from_slice(values: &[E]) -> Self {
        let mut buffer = Self::scratch(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<E: Element> Buffer<E> {
    /// The same memory as floats where that is what the numbers are stored as, or the buffer itself.
    ///
    /// # Errors
    /// Gives the buffer back where they are shorter.
    pub fn into_f32(mut self) -> Result<Buffer, Self> {
        if E::from_f32s(&[]).is_none() {
            return Err(self);
        }
        let block = std::mem::replace(&mut self.block, Block::empty());
        Ok(Buffer { block, len: self.len, numbers: PhantomData })
    }
}

impl<E: Element> Clone for Buffer<E> {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl<E: Element> Default for Buffer<E> {
    fn default() -> Self {
        Self::scratch(0)
    }
}

/// Equal values, as of slices.
impl<E: Element> PartialEq for Buffer<E> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<E: Element> Drop for Buffer<E> {
    fn drop(&mut self) {
        let block = std::mem::replace(&mut self.block, Block::empty());
        if block.capacity > 0 {
            pool().put(block);
        }
    }
}

impl<E: Element> Deref for Buffer<E> {
    type Target = [E];
    #[inline]
    fn deref(&self) -> &[E] {
        // SAFETY: the block holds at least `len` initialised numbers (zeroed when made) and is owned by us; any bytes
        // are numbers, as `Element` promises.
        unsafe { std::slice::from_raw_parts(self.block.start.as_ptr().cast(), self.len) }
    }
}

impl<E: Element> DerefMut for Buffer<E> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [E] {
        // SAFETY: as in `deref`, and `&mut self` makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.block.start.as_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_zeroed_and_reused() {
        let len = 77_777;
        let mut first = Buffer::zeroed(len);
        assert_eq!(first.as_ptr() as usize % ALIGN, 0);
        assert!(first.iter().all(|&x| x == 0.0));
        first.fill(3.0);
        let place = first.as_ptr();
        drop(first);
        let again = Buffer::<f32>::scratch(len - 10);
        assert_eq!(again.as_ptr(), place, "a slightly smaller buffer takes the same memory");
        assert!(Buffer::<f32>::zeroed(len).iter().all(|&x| x == 0.0));
        assert!(Buffer::<f32>::scratch(0).is_empty());
    }
}
