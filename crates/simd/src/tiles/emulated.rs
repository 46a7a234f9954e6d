//! The instructions of AMX in plain Rust.

use super::unit::{SIDE, TILE, TileUnit};
use crate::vector::Bf16;
use crate::vectorized;

/// Eight tiles in memory.
pub struct Emulated {
    tiles: [[f32; TILE]; 8],
}

/// Numbers below the smallest normal one count as 0, with their sign.
#[inline(always)]
fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0_f32.copysign(x) } else { x }
}

/// The numbers of a lane, the first in its lower half.
#[inline(always)]
fn pair(lane: f32) -> [f32; 2] {
    let bits = lane.to_bits();
    [bits as u16, (bits >> 16) as u16].map(|half| flushed(Bf16(half).widened()))
}

vectorized! {
    /// The product of two tiles, in a function of its own: a kernel has many.
    #[inline(never)]
    fn add_product(sums: &mut [f32; TILE], a: &[f32; TILE], b: &[f32; TILE]) {
        for m in 0..SIDE {
            let [mut first, mut second] = [[0.0_f32; SIDE]; 2];
            for k in 0..SIDE {
                let a = pair(a[m * SIDE + k]);
                let row = &b[k * SIDE..][..SIDE];
                for (&b, (first, second)) in row.iter().zip(first.iter_mut().zip(&mut second)) {
                    let b = pair(b);
                    *first = flushed(a[0].mul_add(b[0], *first));
                    *second = flushed(a[1].mul_add(b[1], *second));
                }
            }
            let sums = &mut sums[m * SIDE..][..SIDE];
            for (sum, (first, second)) in sums.iter_mut().zip(first.iter().zip(&second)) {
                *sum = flushed(flushed(*sum) + flushed(first + second));
            }
        }
    }
}

// Rows are added to wrapping: a place that only the last of them may leave is never used.
impl TileUnit for Emulated {
    #[inline(always)]
    unsafe fn start() -> Self {
        Self { tiles: [[0.0; TILE]; 8] }
    }
    #[inline(always)]
    unsafe fn zero<const T: usize>(&mut self) {
        self.tiles[T] = [0.0; TILE];
    }
    #[inline(never)]
    unsafe fn load<const T: usize>(&mut self, place: *const u8, stride: isize) {
        for (row, lanes) in self.tiles[T].chunks_exact_mut(SIDE).enumerate() {
            let row = place.wrapping_offset(row as isize * stride).cast::<[f32; SIDE]>();
            // SAFETY: promised by the caller; rows may begin at any byte.
            lanes.copy_from_slice(&unsafe { row.read_unaligned() });
        }
    }
    #[inline(never)]
    unsafe fn store<const T: usize>(&self, place: *mut u8, stride: isize) {
        for (row, lanes) in self.tiles[T].as_chunks::<SIDE>().0.iter().enumerate() {
            let row = place.wrapping_offset(row as isize * stride).cast::<[f32; SIDE]>();
            // SAFETY: promised by the caller; rows may begin at any byte.
            unsafe { row.write_unaligned(*lanes) }
        }
    }
    #[inline(always)]
    unsafe fn multiply_add<const SUM: usize, const A: usize, const B: usize>(&mut self) {
        let (a, b) = (self.tiles[A], self.tiles[B]);
        add_product(&mut self.tiles[SUM], &a, &b);
    }
    #[inline(never)]
    unsafe fn transpose(from: *const f32, to: *mut f32) {
        for row in 0..SIDE {
            for column in 0..SIDE {
                // SAFETY: promised by the caller.
                unsafe { to.add(column * SIDE + row).write(from.add(row * SIDE + column).read()) }
            }
        }
    }
}
