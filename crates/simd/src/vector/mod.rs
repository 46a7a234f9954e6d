//! The instruction sets, and the choice between them at run time.
//!
//! A kernel is written once, as a [`Kernel`] over any [`Simd`]; [`dispatch()`] compiles it for each instruction
//! set and runs the best one this machine has. Set `WELLFIT_SIMD=scalar|avx2|avx512|neon` to take another
//! (one the machine lacks is ignored).

#[cfg(target_arch = "aarch64")]
mod arm;
mod dispatch;
mod instruction_set;
mod scalar;
mod simd;
mod vectorized;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use dispatch::{dispatch, dispatch_on};
pub use instruction_set::InstructionSet;
pub use simd::{CACHE_LINE, Kernel, Simd};
