//! Depth-wise convolution: every channel has a window of its own.
//!
//! With so few products for each number read, memory sets the speed. So a line of outputs is computed from the few
//! lines of inputs it needs while they are in the cache: some output pixels side by side, one vector of channels at
//! a time, each input read once for all of them. A task is a band of lines of one image, cut by the shape only.

mod line;
mod passes;
mod shape;
mod weight;

pub use shape::DepthwiseConv;
