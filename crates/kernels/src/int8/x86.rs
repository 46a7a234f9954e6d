//! The inner loop on x86-64: AVX-512 with VNNI, and AVX2.

use super::dot::Dot;
use std::arch::x86_64::*;

/// Sixteen lanes: one instruction, `vpdpbusd`, for four products a lane and their sum.
#[derive(Clone, Copy)]
pub(super) struct Vnni;

// SAFETY of every block below: the instructions and the places are the caller's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Dot for Vnni {
    type Sums = __m512i;
    type Left = __m512i;
    type Columns = __m512i;
    #[inline(always)]
    unsafe fn load(place: *const i32) -> __m512i {
        unsafe { _mm512_loadu_si512(place.cast()) }
    }
    #[inline(always)]
    unsafe fn store(place: *mut i32, sums: __m512i) {
        unsafe { _mm512_storeu_si512(place.cast(), sums) }
    }
    #[inline(always)]
    unsafe fn left(place: *const u8) -> __m512i {
        unsafe { _mm512_set1_epi32(place.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn columns(place: *const i8) -> __m512i {
        unsafe { _mm512_loadu_si512(place.cast()) }
    }
    #[inline(always)]
    unsafe fn add(sums: __m512i, left: __m512i, columns: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sums, left, columns) }
    }
}

/// Eight lanes. `vpmaddubsw` would be one instruction for two products of a byte and a byte, but its sums of 16 bits
/// saturate; so bytes are widened to 16 bits, those at even places and those at odd ones, and `vpmaddwd` is exact.
#[derive(Clone, Copy)]
pub(super) struct Avx2;

#[allow(clippy::undocumented_unsafe_blocks)]
impl Dot for Avx2 {
    type Sums = __m256i;
    type Left = [__m256i; 2];
    type Columns = [__m256i; 2];
    #[inline(always)]
    unsafe fn load(place: *const i32) -> __m256i {
        unsafe { _mm256_loadu_si256(place.cast()) }
    }
    #[inline(always)]
    unsafe fn store(place: *mut i32, sums: __m256i) {
        unsafe { _mm256_storeu_si256(place.cast(), sums) }
    }
    #[inline(always)]
    unsafe fn left(place: *const u8) -> [__m256i; 2] {
        unsafe {
            let codes = _mm256_set1_epi32(place.cast::<i32>().read_unaligned());
            [_mm256_and_si256(codes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(codes)]
        }
    }
    #[inline(always)]
    unsafe fn columns(place: *const i8) -> [__m256i; 2] {
        unsafe {
            let weights = _mm256_loadu_si256(place.cast());
            [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(weights)), _mm256_srai_epi16::<8>(weights)]
        }
    }
    #[inline(always)]
    unsafe fn add(sums: __m256i, left: [__m256i; 2], columns: [__m256i; 2]) -> __m256i {
        unsafe {
            let even = _mm256_madd_epi16(left[0], columns[0]);
            let odd = _mm256_madd_epi16(left[1], columns[1]);
            _mm256_add_epi32(_mm256_add_epi32(sums, even), odd)
        }
    }
}
