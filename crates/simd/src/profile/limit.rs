//! How fast products could be at most on this machine.

use crate::parallel::{for_each, threads};
use crate::vector::{Kernel, Simd, dispatch};
use std::time::Instant;

/// The most multiply-adds a second that all threads together do on registers alone: no product can be faster.
#[must_use]
pub fn multiply_add_limit() -> f64 {
    const ROUNDS: usize = 1 << 22;
    let seconds = || {
        let start = Instant::now();
        for_each(threads(), |_| _ = std::hint::black_box(dispatch(Registers(ROUNDS))));
        start.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| seconds()).fold(f64::INFINITY, f64::min);
    (threads() * ROUNDS * dispatch(Registers(0)).0) as f64 / best
}

/// Multiply-adds that need no memory, so many rounds of them.
struct Registers(usize);

impl Kernel for Registers {
    /// Multiply-adds in a round, and a sum that keeps the work from being left out.
    type Output = (usize, f32);
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> (usize, f32) {
        /// As many chains as a tile has sums: enough to hide that a sum takes some cycles.
        const CHAINS: usize = 12;
        let mut lanes = [0.0_f32; 16];
        // SAFETY: `dispatch` takes instruction sets this machine has; no vector is longer than `lanes`.
        unsafe {
            let (a, b) = (S::splat(0.5), S::splat(1e-3));
            let mut sums = [S::splat(0.0); CHAINS];
            for _ in 0..self.0 {
                for sum in &mut sums {
                    *sum = S::multiply_add(a, b, *sum);
                }
            }
            let mut total = sums[0];
            for &sum in &sums[1..] {
                total = S::add(total, sum);
            }
            S::store(lanes.as_mut_ptr(), total);
        }
        (CHAINS * S::LANES, lanes[0])
    }
}
