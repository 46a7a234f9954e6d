//! The vectors of x86-64: AVX2 with FMA, and AVX-512.

use super::simd::{Kernel, Simd};
use std::arch::x86_64::*;

/// A kernel's code for each instruction set.
///
/// As methods these are compiled with the module of the kernel's own type, several modules at a time; functions would all be
/// compiled with this module, one after the other.
pub(super) trait Compiled: Kernel + Sized {
    /// # Safety
    /// The machine must have AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn with_avx2(self) -> Self::Output {
        // SAFETY: promised by the caller.
        unsafe { self.run::<Avx2>() }
    }

    /// # Safety
    /// The machine must have AVX-512 F, VL, DQ and BW.
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn with_avx512(self) -> Self::Output {
        // SAFETY: promised by the caller.
        unsafe { self.run::<Avx512>() }
    }

    /// # Safety
    /// The machine must have AVX-512 F, VL, DQ, BW and BF16.
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx2,fma")]
    unsafe fn with_avx512_bf16(self) -> Self::Output {
        // SAFETY: promised by the caller.
        unsafe { self.run::<Avx512Bf16>() }
    }
}

impl<K: Kernel> Compiled for K {}

/// The first `count` of eight lanes, all bits of which are set.
///
/// # Safety
/// The machine must have AVX2; so for the next two.
#[inline(always)]
unsafe fn first_256(count: usize) -> __m256i {
    // SAFETY: promised by the caller.
    unsafe {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes)
    }
}

/// # Safety
/// As for `first_256`; `count` floats must be readable.
#[inline(always)]
unsafe fn load_first_256(place: *const f32, count: usize) -> __m256 {
    // SAFETY: promised by the caller; other lanes are not touched.
    unsafe { _mm256_maskload_ps(place, first_256(count)) }
}

/// # Safety
/// As for `first_256`; `count` floats must be writable.
#[inline(always)]
unsafe fn store_first_256(place: *mut f32, count: usize, x: __m256) {
    // SAFETY: promised by the caller; other lanes are not touched.
    unsafe { _mm256_maskstore_ps(place, first_256(count), x) }
}

/// # Safety
/// The machine must have AVX-512 F; `count` floats must be readable, at most 16.
#[inline(always)]
unsafe fn load_first_512(place: *const f32, count: usize) -> __m512 {
    // SAFETY: promised by the caller; other lanes are not touched.
    unsafe { _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as u16, place) }
}

/// # Safety
/// The machine must have AVX-512 F; `count` floats must be writable, at most 16.
#[inline(always)]
unsafe fn store_first_512(place: *mut f32, count: usize, x: __m512) {
    // SAFETY: promised by the caller; other lanes are not touched.
    unsafe { _mm512_mask_storeu_ps(place, ((1_u32 << count) - 1) as u16, x) }
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

/// Eight numbers as bf16, rounded to nearest, ties to even; a NaN stays one.
///
/// # Safety
/// The machine must have AVX2; so for the next two.
#[inline(always)]
unsafe fn narrow_256(x: __m256) -> __m128i {
    // SAFETY: promised by the caller.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        let upper = _mm256_srli_epi32::<16>(_mm256_blendv_epi8(rounded, quiet, nan));
        _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256::<1>(upper))
    }
}

#[inline(always)]
unsafe fn load_bf16_256(place: *const u16) -> __m256 {
    // SAFETY: promised by the caller.
    unsafe {
        let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(place.cast()));
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
    }
}

#[inline(always)]
unsafe fn store_bf16_256(place: *mut u16, x: __m256) {
    // SAFETY: promised by the caller.
    unsafe { _mm_storeu_si128(place.cast(), narrow_256(x)) }
}

/// Sixteen numbers as bf16, as [`narrow_256`].
///
/// # Safety
/// The machine must have AVX-512 F; so for the next four.
#[inline(always)]
unsafe fn narrow_512(x: __m512) -> __m256i {
    // SAFETY: promised by the caller.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        let quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x0040_0000));
        let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(_mm512_mask_mov_epi32(rounded, nan, quiet)))
    }
}

#[inline(always)]
unsafe fn load_bf16_512(place: *const u16) -> __m512 {
    // SAFETY: promised by the caller.
    unsafe {
        let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(place.cast()));
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
    }
}

#[inline(always)]
unsafe fn store_bf16_512(place: *mut u16, x: __m512) {
    // SAFETY: promised by the caller.
    unsafe { _mm256_storeu_si256(place.cast(), narrow_512(x)) }
}

#[inline(always)]
unsafe fn stream_bf16_512(place: *mut u16, x: __m512) {
    // SAFETY: promised by the caller.
    unsafe { _mm256_stream_si256(place.cast(), narrow_512(x)) }
}

/// # Safety
/// The machine must have AVX-512 F and BF16; so for the next two.
#[inline(always)]
unsafe fn convert_512(x: __m512) -> __m256i {
    // SAFETY: promised by the caller; both are 256 bits.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
}

#[inline(always)]
unsafe fn convert_and_store_512(place: *mut u16, x: __m512) {
    // SAFETY: promised by the caller.
    unsafe { _mm256_storeu_si256(place.cast(), convert_512(x)) }
}

#[inline(always)]
unsafe fn convert_and_stream_512(place: *mut u16, x: __m512) {
    // SAFETY: promised by the caller.
    unsafe { _mm256_stream_si256(place.cast(), convert_512(x)) }
}

/// How pairs of bf16 in a lane are taken apart, or multiplied by one instruction.
macro_rules! pairs {
    (256) => {
        #[inline(always)]
        unsafe fn first_of_pairs(pairs: __m256) -> __m256 {
            unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(pairs))) }
        }
        #[inline(always)]
        unsafe fn second_of_pairs(pairs: __m256) -> __m256 {
            unsafe { _mm256_and_ps(pairs, _mm256_castsi256_ps(_mm256_set1_epi32(0xffff_0000_u32 as i32))) }
        }
    };
    (512) => {
        #[inline(always)]
        unsafe fn first_of_pairs(pairs: __m512) -> __m512 {
            unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_castps_si512(pairs))) }
        }
        #[inline(always)]
        unsafe fn second_of_pairs(pairs: __m512) -> __m512 {
            unsafe { _mm512_and_ps(pairs, _mm512_castsi512_ps(_mm512_set1_epi32(0xffff_0000_u32 as i32))) }
        }
    };
    (bf16) => {
        pairs!(512);
        #[inline(always)]
        unsafe fn multiply_add_pairs(a: __m512, b: __m512, sum: __m512) -> __m512 {
            unsafe {
                let pairs = |x| std::mem::transmute::<__m512, __m512bh>(x);
                _mm512_dpbf16_ps(sum, pairs(a), pairs(b))
            }
        }
    };
}

macro_rules! x86_vectors {
    (
        $name:ident, $lanes:literal, $rows:literal, $vectors:literal, $outer:literal, $vector:ty, $splat:ident, $load:ident,
        $store:ident, $stream:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $max:ident,
        $where_positive:ident, $load_first:ident, $store_first:ident, $load_bf16:ident, $store_bf16:ident, $stream_bf16:ident, $pairs:tt
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
            #[inline(always)]
            unsafe fn load_first(place: *const f32, count: usize) -> $vector {
                unsafe { $load_first(place, count) }
            }
            #[inline(always)]
            unsafe fn store_first(place: *mut f32, count: usize, x: $vector) {
                unsafe { $store_first(place, count, x) }
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
            #[inline(always)]
            unsafe fn load_bf16(place: *const u16) -> $vector {
                unsafe { $load_bf16(place) }
            }
            #[inline(always)]
            unsafe fn store_bf16(place: *mut u16, x: $vector) {
                unsafe { $store_bf16(place, x) }
            }
            #[inline(always)]
            unsafe fn stream_bf16(place: *mut u16, x: $vector) {
                unsafe { $stream_bf16(place, x) }
            }
            pairs!($pairs);
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
    where_positive_256,
    load_first_256,
    store_first_256,
    load_bf16_256,
    store_bf16_256,
    store_bf16_256,
    256
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
    where_positive_512,
    load_first_512,
    store_first_512,
    load_bf16_512,
    store_bf16_512,
    stream_bf16_512,
    512
);
// The same with the instructions for bf16, which kernels for f32 have no use for.
x86_vectors!(
    Avx512Bf16,
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
    where_positive_512,
    load_first_512,
    store_first_512,
    load_bf16_512,
    convert_and_store_512,
    convert_and_stream_512,
    bf16
);
