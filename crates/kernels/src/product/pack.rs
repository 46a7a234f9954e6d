//! Operands of a sum of outer products, brought into the order its inner loop reads them in.

use super::gemm::in_cache_line;
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{Element, Simd};

/// Fetch `count` numbers from `start` on ahead.
#[inline(always)]
pub(crate) fn fetch<S: Simd, E>(start: *const E, count: usize) {
    (0..count).step_by(in_cache_line::<E>()).for_each(|i| S::prefetch_read(start.wrapping_add(i).cast()));
}

/// Rows of `count` numbers to panels `[count / width][lanes][width]` of lanes, each of which holds a column's numbers of
/// as many rows as fit; zeros fill up the last. What lies past the last column is unspecified and ends up in sums that
/// nobody reads.
///
/// # Safety
/// `count` numbers must be readable from `row(i)` on, for every `i` below `height`.
#[inline(always)]
pub(crate) unsafe fn pack<E: Element>(
    row: impl Fn(usize) -> *const E,
    height: usize,
    count: usize,
    width: usize,
    packed: &mut [f32],
) {
    let watch = Watch::start();
    let lanes = height.div_ceil(E::PER_LANE);
    // Panel by panel: what is written lies together, and what is read stays in a near cache between two panels.
    for first in (0..count).step_by(width) {
        let real = width.min(count - first);
        for (i, out) in packed[first * lanes..][..width * lanes].chunks_exact_mut(width).enumerate() {
            // SAFETY: `first + real <= count`.
            let source = |i| unsafe { std::slice::from_raw_parts(row(i).add(first), real) };
            let rows = (source(i * E::PER_LANE), (i * E::PER_LANE + 1 < height).then(|| i * E::PER_LANE + 1));
            let second = if E::PER_LANE > 1 { rows.1.map(source) } else { None };
            match real {
                8 => lane_row::<E, 8>(rows.0, second, out),
                16 => lane_row::<E, 16>(rows.0, second, out),
                24 => lane_row::<E, 24>(rows.0, second, out),
                32 => lane_row::<E, 32>(rows.0, second, out),
                _ => {
                    for (column, (out, &x)) in out.iter_mut().zip(rows.0).enumerate() {
                        *out = E::lane(x, second.map(|row| row[column]).unwrap_or_default());
                    }
                }
            }
        }
    }
    watch.stop(Work::Packing);
}

/// A row of lanes whose length the compiler knows: a few vector moves instead of a call.
#[inline(always)]
fn lane_row<E: Element, const N: usize>(first: &[E], second: Option<&[E]>, to: &mut [f32]) {
    let (Some(first), Some(to)) = (first.first_chunk::<N>(), to.first_chunk_mut::<N>()) else { return };
    let second = second.and_then(|row| row.first_chunk::<N>()).copied().unwrap_or([E::default(); N]);
    for (to, (&x, &y)) in to.iter_mut().zip(first.iter().zip(&second)) {
        *to = E::lane(x, y);
    }
}
