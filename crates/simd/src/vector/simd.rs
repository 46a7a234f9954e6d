//! What an instruction set does with vectors of floats, and work that is written for any of them.

/// Floats in a cache line.
pub const CACHE_LINE: usize = 16;

/// Vectors of f32 of one instruction set.
pub trait Simd: Copy {
    /// Floats in a vector.
    const LANES: usize;
    /// Rows of the register tile.
    const TILE_ROWS: usize;
    /// Vectors in a row of it. Beside the tile's sums, the registers hold a row of B and one value of A.
    const TILE_VECTORS: usize;
    /// Rows of the register tile of a sum of outer products, whose left operand is packed in panels of
    /// this many floats, or a multiple.
    const OUTER_ROWS: usize;
    /// A vector.
    type Vector: Copy;
    /// All lanes `x`.
    ///
    /// # Safety
    /// The machine must have the instruction set; so for every function here.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// The `LANES` floats from `place` on.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load(place: *const f32) -> Self::Vector;
    /// Write the lanes to `place`.
    ///
    /// # Safety
    /// `LANES` floats must be writable there.
    unsafe fn store(place: *mut f32, x: Self::Vector);
    /// The first `count` lanes from `place` on, 0 in the others; at most `LANES`.
    ///
    /// # Safety
    /// `count` floats must be readable there.
    #[inline(always)]
    unsafe fn load_first(place: *const f32, count: usize) -> Self::Vector {
        let mut copy = [0.0_f32; CACHE_LINE];
        // SAFETY: promised by the caller; no vector is longer than a cache line.
        unsafe {
            std::ptr::copy_nonoverlapping(place, copy.as_mut_ptr(), count);
            Self::load(copy.as_ptr())
        }
    }
    /// Write the first `count` lanes to `place`.
    ///
    /// # Safety
    /// `count` floats must be writable there, `LANES` at most.
    #[inline(always)]
    unsafe fn store_first(place: *mut f32, count: usize, x: Self::Vector) {
        let mut copy = [0.0_f32; CACHE_LINE];
        // SAFETY: as in `load_first`.
        unsafe {
            Self::store(copy.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(copy.as_ptr(), place, count);
        }
    }
    /// Whether [`Simd::stream`] differs from [`Simd::store`]: where a vector is a whole cache line.
    const STREAMS: bool = false;
    /// The same past the caches. Before other threads may read it, [`Simd::stream_fence`] must be called.
    ///
    /// # Safety
    /// As for `store`; `place` must be aligned to the size of a vector.
    #[inline(always)]
    unsafe fn stream(place: *mut f32, x: Self::Vector) {
        // SAFETY: promised by the caller.
        unsafe { Self::store(place, x) }
    }
    /// Wait until everything that [`Simd::stream`] wrote can be seen by other threads.
    #[inline(always)]
    fn stream_fence() {}
    /// Fetch the cache line at `place` ahead, to be read some thousand cycles from now. Any address will do; where the
    /// machine has no such instruction, nothing happens.
    #[inline(always)]
    fn prefetch_read(_place: *const f32) {}
    /// The same for a line to be written some hundred cycles from now.
    #[inline(always)]
    fn prefetch_write(_place: *mut f32) {}
    /// a·b + c, rounded once where the machine can.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// a + b.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a − b.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a·b.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn multiply(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// max(x, 0); NaN stays NaN.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn relu(x: Self::Vector) -> Self::Vector;
    /// `value` where `x` is positive, 0 elsewhere and where `x` is NaN.
    ///
    /// # Safety
    /// As for `splat`.
    unsafe fn where_positive(x: Self::Vector, value: Self::Vector) -> Self::Vector;
    /// The `LANES` numbers of bf16 from `place` on, widened.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load_bf16(place: *const u16) -> Self::Vector;
    /// Write the lanes to `place` as bf16, rounded to nearest, ties to even.
    ///
    /// # Safety
    /// `LANES` numbers of bf16 must be writable there.
    unsafe fn store_bf16(place: *mut u16, x: Self::Vector);
    /// The same past the caches, as [`Simd::stream`].
    ///
    /// # Safety
    /// As for `store_bf16`; `place` must be aligned to the size of `LANES` numbers of bf16.
    #[inline(always)]
    unsafe fn stream_bf16(place: *mut u16, x: Self::Vector) {
        // SAFETY: promised by the caller.
        unsafe { Self::store_bf16(place, x) }
    }
    /// Lanes that hold two numbers of bf16: the first of each, the lower half, widened to f32.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn first_of_pairs(pairs: Self::Vector) -> Self::Vector;
    /// The second of each, the upper half.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    unsafe fn second_of_pairs(pairs: Self::Vector) -> Self::Vector;
    /// sum + a₁·b₁ + a₀·b₀ in each lane, where `a` and `b` hold pairs of bf16. The products are exact, each sum is
    /// rounded to f32.
    ///
    /// # Safety
    /// See [`Simd::splat`].
    #[inline(always)]
    unsafe fn multiply_add_pairs(a: Self::Vector, b: Self::Vector, sum: Self::Vector) -> Self::Vector {
        // SAFETY: promised by the caller.
        unsafe {
            let sum = Self::multiply_add(Self::second_of_pairs(a), Self::second_of_pairs(b), sum);
            Self::multiply_add(Self::first_of_pairs(a), Self::first_of_pairs(b), sum)
        }
    }
}

/// Work that can run with any instruction set. `run` must be `#[inline(always)]`, or it is compiled
/// without the instructions it was written for.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// Do it with the instruction set `S`.
    ///
    /// # Safety
    /// The machine must have `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}
