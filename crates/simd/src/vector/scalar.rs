//! Plain Rust, for any machine.

use super::bf16::Bf16;
use super::simd::Simd;

/// Four lanes of plain Rust; compilers turn them into the baseline's vectors. Multiply and add round
/// separately: a fused one in software would be fifty times slower.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

impl Simd for Scalar {
    const LANES: usize = 4;
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 2;
    const OUTER_ROWS: usize = 4;
    type Vector = [f32; 4];
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(place: *const f32) -> [f32; 4] {
        // SAFETY: four readable floats are the caller's promise; an array needs no more than f32 alignment.
        unsafe { *place.cast() }
    }
    #[inline(always)]
    unsafe fn store(place: *mut f32, x: [f32; 4]) {
        // SAFETY: as in `load`, for writing.
        unsafe { *place.cast() = x }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        [a[0] * b[0] + c[0], a[1] * b[1] + c[1], a[2] * b[2] + c[2], a[3] * b[3] + c[3]]
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }
    #[inline(always)]
    unsafe fn subtract(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
    }
    #[inline(always)]
    unsafe fn multiply(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]]
    }
    #[inline(always)]
    unsafe fn relu(x: [f32; 4]) -> [f32; 4] {
        x.map(|x| if x < 0.0 { 0.0 } else { x })
    }
    #[inline(always)]
    unsafe fn where_positive(x: [f32; 4], value: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if x[i] > 0.0 { value[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn load_bf16(place: *const u16) -> [f32; 4] {
        // SAFETY: four readable numbers are the caller's promise.
        unsafe { *place.cast::<[Bf16; 4]>() }.map(Bf16::widened)
    }
    #[inline(always)]
    unsafe fn store_bf16(place: *mut u16, x: [f32; 4]) {
        // SAFETY: as in `load_bf16`, for writing.
        unsafe { *place.cast() = x.map(Bf16::rounded) }
    }
    #[inline(always)]
    unsafe fn first_of_pairs(pairs: [f32; 4]) -> [f32; 4] {
        pairs.map(|pair| f32::from_bits(pair.to_bits() << 16))
    }
    #[inline(always)]
    unsafe fn second_of_pairs(pairs: [f32; 4]) -> [f32; 4] {
        pairs.map(|pair| f32::from_bits(pair.to_bits() & 0xffff_0000))
    }
}
