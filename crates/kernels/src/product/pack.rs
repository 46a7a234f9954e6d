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
/// `count` numbers must be readable from `row(i)` on, for every `i` below `height`; a panel is as wide as some vectors of `S`,
/// which the machine must have.
#[inline(always)]
pub(crate) unsafe fn pack<S: Simd, E: Element>(
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
        let panel = packed[first * lanes..][..width * lanes].chunks_exact_mut(width).enumerate();
        // SAFETY: `first + real <= count`.
        unsafe {
            if E::PER_LANE == 1 {
                panel.for_each(|(i, out)| copy::<S, E>(row(i).add(first), real, out));
            } else {
                let source = |i| std::slice::from_raw_parts(row(i).add(first), real);
                panel.for_each(|(i, out)| {
                    let second = if 2 * i + 1 < height { source(2 * i + 1) } else { &[] };
                    lane_row(source(2 * i), second, out);
                });
            }
        }
    }
    watch.stop(Work::Packing);
}

/// A row of lanes from a row of numbers, a vector at a time.
///
/// # Safety
/// `count` numbers must be readable from `from` on; `to` is as long as some vectors, and at least as long as `count`.
#[inline(always)]
unsafe fn copy<S: Simd, E: Element>(from: *const E, count: usize, to: &mut [f32]) {
    let whole = count / S::LANES * S::LANES;
    // SAFETY: promised by the caller.
    unsafe {
        for i in (0..whole).step_by(S::LANES) {
            S::store(to[i..].as_mut_ptr(), E::load::<S>(from.add(i)));
        }
        if whole < count {
            S::store(to[whole..].as_mut_ptr(), E::load_first::<S>(from.add(whole), count - whole));
        }
    }
}

/// A row of lanes from two rows of numbers, the second perhaps empty. Where the compiler knows how long it is, it takes a few vector moves.
#[inline(always)]
pub(crate) fn lane_row<E: Element>(first: &[E], second: &[E], to: &mut [f32]) {
    match first.len() {
        8 => lane_row_of::<E, 8>(first, second, to),
        16 => lane_row_of::<E, 16>(first, second, to),
        24 => lane_row_of::<E, 24>(first, second, to),
        32 => lane_row_of::<E, 32>(first, second, to),
        _ => {
            for (column, (to, &x)) in to.iter_mut().zip(first).enumerate() {
                *to = E::lane(x, second.get(column).copied().unwrap_or_default());
            }
        }
    }
}

#[inline(always)]
fn lane_row_of<E: Element, const N: usize>(first: &[E], second: &[E], to: &mut [f32]) {
    let (Some(first), Some(to)) = (first.first_chunk::<N>(), to.first_chunk_mut::<N>()) else { return };
    if let Some(second) = second.first_chunk::<N>() {
        for i in 0..N {
            to[i] = E::lane(first[i], second[i]);
        }
    } else {
        for i in 0..N {
            to[i] = E::lane(first[i], E::default());
        }
    }
}
