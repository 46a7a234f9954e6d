//! The instruction sets, and the choice between them at run time.
//!
//! A kernel is written once, as a [`Kernel`] over any [`Simd`]; [`dispatch()`] compiles it for each instruction
//! set and runs the best one this machine has. Set `WELLFIT_SIMD=scalar|avx2|avx512|neon` to take another
//! (one the machine lacks is ignored). [`Element`] is what numbers are stored as; `WELLFIT_BF16=widened|avx512_bf16|amx|amx_emulated`
//! chooses how products of bf16 are computed.

#[cfg(target_arch = "aarch64")]
mod arm;
mod bf16;
mod bf16_unit;
mod dispatch;
mod element;
mod instruction_set;
mod scalar;
mod simd;
mod vectorized;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use bf16::Bf16;
pub use bf16_unit::Bf16Unit;
pub use dispatch::{dispatch, dispatch_on};
pub use element::Element;
pub use instruction_set::InstructionSet;
pub use simd::{CACHE_LINE, Kernel, Simd};
