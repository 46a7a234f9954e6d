//! The instruction sets, and the choice between them at run time.
//!
//! A kernel is written once, as a [`Kernel`] over any [`Simd`]; [`dispatch`] compiles it for each instruction
//! set and runs the best one this machine has. Set `WELLFIT_SIMD=scalar|avx2|avx512|neon` to take another
//! (one the machine lacks is ignored).

use std::sync::OnceLock;

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
    /// Whether [`Simd::stream`] is more than [`Simd::store`]: where a vector is a cache line.
    const STREAMS: bool = false;
    /// The same past the caches. Before other threads are told of it, [`Simd::stream_fence`] must be called.
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

/// The instruction sets kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// Plain Rust, on any machine.
    Scalar,
    /// x86-64 with AVX2 and FMA (2013 on).
    Avx2,
    /// x86-64 with AVX-512 F, VL, DQ and BW.
    Avx512,
    /// 64-bit ARM.
    Neon,
}

impl InstructionSet {
    /// The name used by `WELLFIT_SIMD` and in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Floats in a vector.
    #[must_use]
    #[inline]
    pub fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Scalar | Self::Neon => 4,
        }
    }

    /// Vectors in a row of the register tile ([`Simd::TILE_VECTORS`]).
    #[must_use]
    #[inline]
    pub fn tile_vectors(self) -> usize {
        if self == Self::Avx512 { 4 } else { 2 }
    }

    /// Floats across a panel of the left operand of a sum of outer products: whole vectors to write, whole
    /// register tiles ([`Simd::OUTER_ROWS`]) to read.
    #[must_use]
    #[inline]
    pub fn left_width(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 24,
            Self::Neon => 12,
            Self::Scalar => 4,
        }
    }

    /// Those this machine has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512bw")
            {
                found.push(Self::Avx512);
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self::Neon);
        found.push(Self::Scalar);
        found
    }

    /// The one in use: the best, or the one `WELLFIT_SIMD` names.
    #[must_use]
    #[inline]
    pub fn current() -> Self {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let available = Self::available();
            let wanted = std::env::var("WELLFIT_SIMD").unwrap_or_default();
            let named = available.iter().find(|set| set.name() == wanted);
            *named.unwrap_or(&available[0])
        })
    }
}

/// Run a kernel with the instruction set in use.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    dispatch_on(InstructionSet::current(), kernel)
}

/// Run a kernel with a given instruction set, which must be one of [`InstructionSet::available`].
pub fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    // SAFETY: `current` only yields instruction sets that were detected on this machine.
    unsafe {
        match set {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => x86::with_avx512(kernel),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => x86::with_avx2(kernel),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => kernel.run::<arm::Neon>(),
            _ => kernel.run::<Scalar>(),
        }
    }
}

/// Four lanes of plain Rust; compilers turn them into the baseline's vectors. Multiply and add round
/// separately: a fused one in software would be fifty times slower.
#[derive(Clone, Copy)]
struct Scalar;

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
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Simd};
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
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Simd;
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
    }
}

/// Compile a function of plain loops once for each instruction set and call the one in use: compilers
/// vectorise such loops to whatever width they may use. What the function calls must be inlined into it.
#[macro_export]
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }
            match $crate::vector::InstructionSet::current() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the instruction set was detected on this machine.
                $crate::vector::InstructionSet::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::vector::InstructionSet::Avx2 => unsafe { avx2($($arg),*) },
                _ => portable($($arg),*),
            }
        }
    };
}
pub use vectorized;
