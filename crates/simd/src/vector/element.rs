//! What the numbers of a tensor are stored as: f32, or bf16.
//!
//! Arithmetic is f32 whatever they are stored as: a number is widened when it is loaded and rounded when it is stored.
//! Products of matrices are the exception. They take bf16 as it is, two numbers to a lane, since processors have an
//! instruction for that; the products of two bf16 are exact in f32, and their sums are f32.

use super::bf16::Bf16;
use super::bf16_unit::Bf16Unit;
use super::dispatch::{dispatch_bf16_on, dispatch_on};
use super::instruction_set::InstructionSet;
use super::simd::{CACHE_LINE, Kernel, Simd};
use crate::tiles::{MatrixUnit, SIDE};
use std::borrow::Cow;
use std::fmt::Debug;

/// A number as it is stored.
///
/// # Safety
/// It is plain old data without padding: all its bytes may have any value, and zero bytes are the number 0.
pub unsafe trait Element: Copy + Default + PartialEq + Debug + Send + Sync + 'static {
    /// Its name, as users type it.
    const NAME: &'static str;
    /// Numbers in a lane of 32 bits.
    const PER_LANE: usize;
    /// Rounded to nearest, ties to even.
    fn from_f32(x: f32) -> Self;
    /// Exact.
    fn to_f32(self) -> f32;
    /// `LANES` numbers from `place` on, widened.
    ///
    /// # Safety
    /// They must be readable, and the machine must have `S`; so for every function here.
    unsafe fn load<S: Simd>(place: *const Self) -> S::Vector;
    /// The first `count` numbers from `place` on, widened, 0 in the other lanes; at most `LANES`.
    ///
    /// # Safety
    /// `count` numbers must be readable there.
    #[inline(always)]
    unsafe fn load_first<S: Simd>(place: *const Self, count: usize) -> S::Vector {
        let mut copy = [Self::default(); CACHE_LINE];
        // SAFETY: promised by the caller; no vector is longer than a cache line.
        unsafe {
            std::ptr::copy_nonoverlapping(place, copy.as_mut_ptr(), count);
            Self::load::<S>(copy.as_ptr())
        }
    }
    /// Write the first `count` lanes to `place`, rounded.
    ///
    /// # Safety
    /// `count` numbers must be writable there, `LANES` at most.
    #[inline(always)]
    unsafe fn store_first<S: Simd>(place: *mut Self, count: usize, x: S::Vector) {
        let mut copy = [Self::default(); CACHE_LINE];
        // SAFETY: as in `load_first`.
        unsafe {
            Self::store::<S>(copy.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(copy.as_ptr(), place, count);
        }
    }
    /// Write the lanes to `place`, rounded.
    ///
    /// # Safety
    /// `LANES` numbers must be writable there.
    unsafe fn store<S: Simd>(place: *mut Self, x: S::Vector);
    /// The same past the caches: see [`Simd::stream`].
    ///
    /// # Safety
    /// As for `store`; `place` must be aligned to the size of `LANES` numbers.
    unsafe fn stream<S: Simd>(place: *mut Self, x: S::Vector);
    /// In each lane, sum + a·b, where `a` and `b` hold [`Self::PER_LANE`] numbers as they are stored, whose products are
    /// all added.
    ///
    /// # Safety
    /// As for every function here.
    unsafe fn multiply_add<S: Simd>(a: S::Vector, b: S::Vector, sum: S::Vector) -> S::Vector;
    /// Numbers that one instruction multiplies for one sum: as many as a lane holds, or one where they are widened first;
    /// a row of a tile where there is a matrix unit.
    fn products_at_once() -> usize;
    /// The matrix unit in use for numbers that are stored so.
    #[inline(always)]
    fn matrix_unit() -> Option<MatrixUnit> {
        None
    }
    /// One lane of an operand of products, from numbers that are multiplied by the same lane; the second is left out
    /// where a lane holds one.
    fn lane(first: Self, second: Self) -> f32;
    /// Numbers as lanes, where a lane holds one; nothing where it holds more.
    fn as_lanes(_numbers: &[Self]) -> &[f32] {
        &[]
    }
    /// Numbers of f32 as they are stored, where that is the same.
    fn from_f32s(_numbers: &[f32]) -> Option<&[Self]> {
        None
    }
    /// Numbers of f32, rounded and widened again: what a product takes them for.
    fn rounded(values: &[f32]) -> Cow<'_, [f32]>;
    /// Run a kernel for numbers stored so, with a given instruction set.
    fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output;
    /// Run it with the instruction set in use.
    fn dispatch<K: Kernel>(kernel: K) -> K::Output {
        Self::dispatch_on(InstructionSet::current(), kernel)
    }
}

// SAFETY: every pattern of 32 bits is an f32.
unsafe impl Element for f32 {
    const NAME: &'static str = "f32";
    const PER_LANE: usize = 1;
    #[inline(always)]
    fn from_f32(x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(place: *const Self) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe { S::load(place) }
    }
    #[inline(always)]
    unsafe fn store<S: Simd>(place: *mut Self, x: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::store(place, x) }
    }
    #[inline(always)]
    unsafe fn load_first<S: Simd>(place: *const Self, count: usize) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe { S::load_first(place, count) }
    }
    #[inline(always)]
    unsafe fn store_first<S: Simd>(place: *mut Self, count: usize, x: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::store_first(place, count, x) }
    }
    #[inline(always)]
    unsafe fn stream<S: Simd>(place: *mut Self, x: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::stream(place, x) }
    }
    #[inline(always)]
    unsafe fn multiply_add<S: Simd>(a: S::Vector, b: S::Vector, sum: S::Vector) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe { S::multiply_add(a, b, sum) }
    }
    fn products_at_once() -> usize {
        1
    }
    #[inline(always)]
    fn lane(first: Self, _: Self) -> f32 {
        first
    }
    fn as_lanes(numbers: &[Self]) -> &[f32] {
        numbers
    }
    fn from_f32s(numbers: &[f32]) -> Option<&[Self]> {
        Some(numbers)
    }
    fn rounded(values: &[f32]) -> Cow<'_, [f32]> {
        Cow::Borrowed(values)
    }
    fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
        dispatch_on(set, kernel)
    }
}

// SAFETY: every pattern of 16 bits is a bf16.
unsafe impl Element for Bf16 {
    const NAME: &'static str = "bf16";
    const PER_LANE: usize = 2;
    #[inline(always)]
    fn from_f32(x: f32) -> Self {
        Self::rounded(x)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self.widened()
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(place: *const Self) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe { S::load_bf16(place.cast()) }
    }
    #[inline(always)]
    unsafe fn store<S: Simd>(place: *mut Self, x: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::store_bf16(place.cast(), x) }
    }
    #[inline(always)]
    unsafe fn stream<S: Simd>(place: *mut Self, x: S::Vector) {
        // SAFETY: promised by the caller.
        unsafe { S::stream_bf16(place.cast(), x) }
    }
    #[inline(always)]
    unsafe fn multiply_add<S: Simd>(a: S::Vector, b: S::Vector, sum: S::Vector) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe { S::multiply_add_pairs(a, b, sum) }
    }
    fn products_at_once() -> usize {
        match Bf16Unit::current() {
            Bf16Unit::Widened => 1,
            Bf16Unit::Avx512Bf16 => Self::PER_LANE,
            Bf16Unit::Amx | Bf16Unit::AmxEmulated => Self::PER_LANE * SIDE,
        }
    }
    #[inline(always)]
    fn matrix_unit() -> Option<MatrixUnit> {
        Bf16Unit::current().matrix_unit()
    }
    #[inline(always)]
    fn lane(first: Self, second: Self) -> f32 {
        f32::from_bits(u32::from(second.0) << 16 | u32::from(first.0))
    }
    fn rounded(values: &[f32]) -> Cow<'_, [f32]> {
        values.iter().map(|&x| Self::from_f32(x).to_f32()).collect()
    }
    fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
        dispatch_bf16_on(set, Bf16Unit::current(), kernel)
    }
}
