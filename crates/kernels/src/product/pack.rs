//! Operands of a sum of outer products, brought into the order its inner loop reads them in.

use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{CACHE_LINE, Simd};

/// Fetch `count` floats from `start` on ahead.
#[inline(always)]
pub(crate) fn fetch<S: Simd>(start: *const f32, count: usize) {
    (0..count).step_by(CACHE_LINE).for_each(|i| S::prefetch_read(start.wrapping_add(i)));
}

/// Rows of `count` floats to panels `[count / width][height][width]`; what lies past the last is
/// unspecified and ends up in sums that nobody reads.
///
/// # Safety
/// `count` floats must be readable from `row(i)` on, for every `i` below `height`.
#[inline(always)]
pub(crate) unsafe fn pack(
    row: impl Fn(usize) -> *const f32,
    height: usize,
    count: usize,
    width: usize,
    packed: &mut [f32],
) {
    let watch = Watch::start();
    // Panel by panel: what is written lies together, and what is read stays in a near cache between two panels.
    for first in (0..count).step_by(width) {
        let real = width.min(count - first);
        for (i, out) in packed[first * height..][..width * height].chunks_exact_mut(width).enumerate() {
            // SAFETY: `first + real <= count`.
            let source = unsafe { std::slice::from_raw_parts(row(i).add(first), real) };
            match real {
                8 => copy::<8>(source, out),
                16 => copy::<16>(source, out),
                24 => copy::<24>(source, out),
                32 => copy::<32>(source, out),
                _ => out[..real].copy_from_slice(source),
            }
        }
    }
    watch.stop(Work::Packing);
}

/// A copy whose length the compiler knows: a few vector moves instead of a call.
#[inline(always)]
fn copy<const N: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
}
