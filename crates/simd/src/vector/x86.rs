//! The vectors of x86-64: AVX2 with FMA, and AVX-512.

use super::simd::{Kernel, Simd};
use std::arch::x86_64::*;

/// # Safety
/// The machine must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: promised by the caller.
    unsafe { kernel.run::<Avx2>() }
}

/// # Safety
/// The machine must have AVX-512 F, VL, DQ and BW.
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
pub(super) unsafe fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: promised by the caller.
    unsafe { kernel.run::<Avx512>() }
}

/// # Safety
/// The machine must have AVX.
#[inline(always)]
unsafe fn where_positive_256(x: __m256, value: __m256) -> __m256 {
    // SAFETY: promised by the caller.
    unsafe { _mm256_and_ps(value, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps())) }
}

/// # Safety
/// The machine must have AVX-512 F.
#[inline(always)]
unsafe fn where_positive_512(x: __m512, value: __m512) -> __m512 {
    // SAFETY: promised by the caller.
    unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), value) }
}

macro_rules! x86_vectors {
    (
        $name:ident, $lanes:literal, $rows:literal, $vectors:literal, $outer:literal, $vector:ty, $splat:ident, $load:ident,
        $store:ident, $stream:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $max:ident,
        $where_positive:ident
    ) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name;
        // SAFETY of every block below: the instruction set and the places are the caller's promise.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Simd for $name {
            const LANES: usize = $lanes;
            const TILE_ROWS: usize = $rows;
            const TILE_VECTORS: usize = $vectors;
            const OUTER_ROWS: usize = $outer;
            type Vector = $vector;
            #[inline(always)]
            unsafe fn splat(x: f32) -> $vector {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(place: *const f32) -> $vector {
                unsafe { $load(place) }
            }
            #[inline(always)]
            unsafe fn store(place: *mut f32, x: $vector) {
                unsafe { $store(place, x) }
            }
            const STREAMS: bool = $lanes == 16;
            #[inline(always)]
            unsafe fn stream(place: *mut f32, x: $vector) {
                unsafe { $stream(place, x) }
            }
            #[inline(always)]
            fn stream_fence() {
                unsafe { _mm_sfence() }
            }
            #[inline(always)]
            fn prefetch_read(place: *const f32) {
                unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
            }
            #[inline(always)]
            fn prefetch_write(place: *mut f32) {
                unsafe { _mm_prefetch::<_MM_HINT_ET0>(place.cast()) }
            }
            #[inline(always)]
            unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                unsafe { $sub(a, b) }
            }
            #[inline(always)]
            unsafe fn multiply(a: $vector, b: $vector) -> $vector {
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn relu(x: $vector) -> $vector {
                // The second operand is taken when one is NaN.
                unsafe { $max($splat(0.0), x) }
            }
            #[inline(always)]
            unsafe fn where_positive(x: $vector, value: $vector) -> $vector {
                unsafe { $where_positive(x, value) }
            }
        }
    };
}
// 16 registers: 6 rows × 2 vectors of sums, 2 of B, 1 of A. 32 registers: 6 × 4, 4 and 1.
// More rows (14 × 2) would compete for the 8 lines of a set where they lie 4 KiB apart.
x86_vectors!(
    Avx2,
    8,
    6,
    2,
    6,
    __m256,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_max_ps,
    where_positive_256
);
x86_vectors!(
    Avx512,
    16,
    6,
    4,
    8,
    __m512,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_stream_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_max_ps,
    where_positive_512
);
