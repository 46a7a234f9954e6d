//! The vectors of 64-bit ARM: NEON.

use super::simd::Simd;
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(super) struct Neon;

// SAFETY of every block below: NEON is part of the baseline; the places are the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Neon {
    const LANES: usize = 4;
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;
    const OUTER_ROWS: usize = 12;
    type Vector = float32x4_t;
    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(place: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(place) }
    }
    #[inline(always)]
    unsafe fn store(place: *mut f32, x: float32x4_t) {
        unsafe { vst1q_f32(place, x) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn subtract(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn relu(x: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(x, vdupq_n_f32(0.0)) }
    }
    #[inline(always)]
    unsafe fn where_positive(x: float32x4_t, value: float32x4_t) -> float32x4_t {
        unsafe {
            let positive = vcgtq_f32(x, vdupq_n_f32(0.0));
            vreinterpretq_f32_u32(vandq_u32(positive, vreinterpretq_u32_f32(value)))
        }
    }
    #[inline(always)]
    unsafe fn load_bf16(place: *const u16) -> float32x4_t {
        unsafe { vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(place))) }
    }
    #[inline(always)]
    unsafe fn store_bf16(place: *mut u16, x: float32x4_t) {
        unsafe {
            let bits = vreinterpretq_u32_f32(x);
            let odd = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
            let rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
            let quiet = vorrq_u32(bits, vdupq_n_u32(0x0040_0000));
            vst1_u16(place, vshrn_n_u32::<16>(vbslq_u32(vceqq_f32(x, x), rounded, quiet)));
        }
    }
    #[inline(always)]
    unsafe fn first_of_pairs(pairs: float32x4_t) -> float32x4_t {
        unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<16>(vreinterpretq_u32_f32(pairs))) }
    }
    #[inline(always)]
    unsafe fn second_of_pairs(pairs: float32x4_t) -> float32x4_t {
        unsafe { vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(pairs), vdupq_n_u32(0xffff_0000))) }
    }
}
