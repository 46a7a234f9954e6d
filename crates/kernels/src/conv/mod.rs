//! Convolution and linear layers: forward, data gradient, weight gradient.
//!
//! Images are `[N, H, W, C]`, weights `[k, k, C_in, C_out]` (torch's `[C_out, C_in, k, k]` permuted once,
//! when weights are loaded). A linear layer is the 1×1 convolution of a 1×1 image, with weights `[in, out]`. A grouped convolution is
//! one convolution after another; where every group is one channel (depth-wise), all run side by side.

mod backward;
mod classes;
mod depthwise;
mod forward;
mod grouped;
mod patches;
mod pixels;
mod shape;
mod windows;
mod winograd;

pub use backward::BehindNorm;
pub use depthwise::DepthwiseConv;
pub use grouped::GroupedConv;
pub use shape::{Algorithm, Conv, Destination};
pub(crate) use windows::{Windows, is_merged, pad};
