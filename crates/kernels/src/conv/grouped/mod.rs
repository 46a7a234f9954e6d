//! Grouped convolution: the channels fall into groups, and each group has a convolution of its own.
//!
//! * [`shape`] what it is, [`passes`] what it does
//! * [`direct`], [`gradient`], [`axis`], [`slab`]: 3×3 windows and few channels a group, by direct sums
//! * [`each`]: any other, one group after another
//!
//! Work is cut into blocks by the shape, so the bits do not depend on the number of threads.

mod axis;
mod direct;
mod each;
mod gradient;
mod passes;
mod shape;
mod slab;

pub use shape::GroupedConv;
