//! How fast products and passes over memory could be at most on this machine.

use crate::buffer::Buffer;
use crate::parallel::{for_each, row_blocks, threads};
#[cfg(target_arch = "x86_64")]
use crate::tiles::Amx;
use crate::tiles::{Emulated, MatrixUnit, SIDE, TILE, TileUnit};
use crate::vector::{Element, Kernel, Simd};
use std::marker::PhantomData;
use std::time::Instant;

/// The most multiply-adds a second of numbers stored as `E` that all threads together do on registers alone: no product
/// can be faster.
#[must_use]
pub fn multiply_add_limit<E: Element>() -> f64 {
    const ROUNDS: usize = 1 << 22;
    let seconds = || {
        let start = Instant::now();
        for_each(threads(), |_| _ = std::hint::black_box(registers::<E>(ROUNDS)));
        start.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| seconds()).fold(f64::INFINITY, f64::min);
    (threads() * ROUNDS * registers::<E>(0).0) as f64 / best
}

fn registers<E: Element>(rounds: usize) -> (usize, f32) {
    E::dispatch(Registers::<E>(rounds, PhantomData))
}

/// Multiply-adds that need no memory, so many rounds of them.
struct Registers<E>(usize, PhantomData<E>);

impl<E: Element> Kernel for Registers<E> {
    /// Multiply-adds in a round, and a sum that keeps the work from being left out.
    type Output = (usize, f32);
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> (usize, f32) {
        /// As many chains as a tile has sums: enough to hide that a sum takes some cycles.
        const CHAINS: usize = 12;
        match E::matrix_unit() {
            // SAFETY: `matrix_unit` names the one in use.
            #[cfg(target_arch = "x86_64")]
            Some(MatrixUnit::Amx) => return unsafe { tiles::<Amx, E>(self.0) },
            // SAFETY: plain Rust.
            Some(MatrixUnit::Emulated) => return unsafe { tiles::<Emulated, E>(self.0) },
            None => {}
        }
        let mut lanes = [0.0_f32; 16];
        // SAFETY: `dispatch` takes instruction sets this machine has; no vector is longer than `lanes`.
        unsafe {
            let (a, b) = (S::splat(0.5), S::splat(1e-3));
            let mut sums = [S::splat(0.0); CHAINS];
            for _ in 0..self.0 {
                for sum in &mut sums {
                    *sum = E::multiply_add::<S>(a, b, *sum);
                }
            }
            let mut total = sums[0];
            for &sum in &sums[1..] {
                total = S::add(total, sum);
            }
            S::store(lanes.as_mut_ptr(), total);
        }
        (CHAINS * S::LANES * E::PER_LANE, lanes[0])
    }
}

/// Multiply-adds of one round, and a sum, by a matrix unit: four tiles of sums, as products have.
///
/// # Safety
/// The machine must have `U`.
#[inline(always)]
unsafe fn tiles<U: TileUnit, E: Element>(rounds: usize) -> (usize, f32) {
    // The tiles hold zeros, on which the time does not depend.
    let (rounds, mut sum) = (rounds.div_ceil(SIDE), [0.0_f32; TILE]);
    // SAFETY: promised by the caller.
    unsafe {
        let mut unit = U::start();
        for _ in 0..rounds {
            unit.multiply_add::<0, 4, 6>();
            unit.multiply_add::<1, 4, 7>();
            unit.multiply_add::<2, 5, 6>();
            unit.multiply_add::<3, 5, 7>();
        }
        unit.store::<0>(sum.as_mut_ptr().cast(), (SIDE * size_of::<f32>()).cast_signed());
    }
    // A round of a tile is as much as `SIDE` rounds of its rows.
    (4 * TILE * E::PER_LANE, sum[0])
}

/// The most bytes a second that all threads together read and write, as a pass over tensors larger than the caches does:
/// two are read, a third is written.
#[must_use]
pub fn memory_limit() -> f64 {
    const FLOATS: usize = 1 << 24;
    const BLOCK: usize = 1 << 14;
    let (a, b, mut sum) =
        (Buffer::<f32>::zeroed(FLOATS), Buffer::<f32>::zeroed(FLOATS), Buffer::zeroed(FLOATS));
    let mut seconds = || {
        let start = Instant::now();
        row_blocks(&mut sum, 1, BLOCK, |first, sum| {
            let (a, b) = (&a[first..], &b[first..]);
            f32::dispatch(Sum { a, b, sum });
        });
        start.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| seconds()).fold(f64::INFINITY, f64::min);
    (3 * FLOATS * size_of::<f32>()) as f64 / best
}

struct Sum<'a> {
    a: &'a [f32],
    b: &'a [f32],
    sum: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for i in (0..self.sum.len()).step_by(S::LANES) {
            // SAFETY: blocks are whole vectors, and buffers begin with a cache line.
            unsafe {
                let sum = S::add(S::load(self.a.as_ptr().add(i)), S::load(self.b.as_ptr().add(i)));
                S::stream(self.sum.as_mut_ptr().add(i), sum);
            }
        }
        S::stream_fence();
    }
}
