//! Fast CPU kernels for convolutional networks in NHWC, chosen at run time.
//!
//! Images are `[N, H, W, C]` with the channels innermost: a pixel's channels are one contiguous run, so a
//! convolution needs no im2col and BatchNorm vectorises over channels without reordering a sum.
//!
//! Every kernel cuts its work into blocks that depend on the shape only and adds partial sums in a fixed
//! order. So the bits of a result depend on the instruction set, never on the number of threads.
//!
//! * [`conv`] convolution and linear layers: forward, data gradient, weight gradient; 3×3 ones and the 7×7 stem of a
//!   ResNet by Winograd's method where it pays ([`conv::Algorithm::Direct`] turns that off)
//! * [`norm`] batch normalisation with ReLU and the residual sum in the same pass
//! * [`activation`] sigmoids, SiLU and hard swish, and gates for each channel
//! * [`pool`], [`elementwise`], [`loss`], [`optim`] the rest of a training step
//! * [`average`] a running average of weights
//! * [`int8`] convolution and linear layers in 8-bit integers, for serving
//! * [`mod@reference`] a naive f64 version of every kernel: the specification that the tests compare with

pub mod activation;
pub mod average;
mod both;
pub mod conv;
pub mod elementwise;
mod epilogue;
pub mod int8;
pub mod loss;
pub mod norm;
pub mod optim;
pub mod pad;
pub mod pool;
mod product;
pub mod reference;

pub use epilogue::Epilogue;
pub use wellfit_simd::{Bf16, Buffer, Element};
