//! Batch normalisation over the channels of `[rows, C]` (rows = N, or N·H·W), with an optional residual sum
//! and ReLU in the same pass.
//!
//! y = γ·(x − μ)/√(σ² + ε) + β, with the batch's mean μ and *biased* variance σ² (Ioffe & Szegedy 2015; as
//! `torch.nn.BatchNorm2d`). Running statistics take the *unbiased* variance:
//! running ← (1 − m)·running + m·batch.

mod backward;
mod coefficients;
mod forward;
mod gradient_sums;
mod input_gradient;
mod moments;
mod statistics;
mod swish;
mod tile_moments;

pub use backward::{Gradients, Sums, backward, backward_from};
pub use forward::{affine, scale_and_shift};
pub use gradient_sums::Passed;
pub use input_gradient::InputGradient;
pub use moments::Statistics;
pub use statistics::statistics;
pub(crate) use statistics::{BandMoments, block_moments};
pub use swish::affine_swish;
pub(crate) use tile_moments::{BlockMoments, TileMoments};
