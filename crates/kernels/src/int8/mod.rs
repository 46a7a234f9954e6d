//! Convolution and linear layers in 8-bit integers, for serving.
//!
//! A real number x is stored as a code q of 8 bits, x ≈ scale·(q − zero) (Jacob et al. 2018, arXiv:1712.05877,
//! equation 1). Activations are unsigned with one scale and zero a tensor ([`Affine`]), weights are signed with zero 0
//! and one scale an output channel. So a product is a sum of integers, which is exact in 32 bits:
//!
//! `y[n] = relu(scale[n]·s_x·s_w[n]·Σ_k (q_x[k] − z_x)·q_w[k, n] + bias[n] + residual[n])`
//!
//! What is done to the sum is done in f32, one multiplication and one addition at a time, never fused, in units of the
//! output's scale, and then y is rounded to the code nearest to it. Sums are exact and the rest has one order, so every instruction set gives the
//! same bits, on any number of threads; and a row of a batch does not depend on the others.
//!
//! * [`Affine`], [`Codes`] numbers as codes, and memory for them
//! * [`Layer`] a convolution or linear layer with quantised weights
//! * [`max_pool()`] max pooling of codes
//! * [`Path`] which instructions compute the products

mod affine;
mod codes;
mod dot;
mod finish;
mod layer;
mod panels;
mod patches;
mod path;
mod pool;
mod product;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use affine::Affine;
pub use codes::Codes;
pub use layer::{Epilogue, Layer, MOST_DEPTH};
pub use path::Path;
pub use pool::max_pool;
