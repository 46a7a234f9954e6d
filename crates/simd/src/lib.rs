//! What every kernel uses: vectors of each instruction set, threads, reused memory.
//!
//! * [`vector`] the instruction sets, and the choice between them at run time
//! * [`parallel`] fixed blocks of work on however many threads there are; [`Threads`] says how many
//! * [`cache`] what the processor says of its caches
//! * [`buffer`] memory that is reused between training steps
//! * [`transpose`] shuffles and sums of small integers, for images
//! * [`tiles`] matrix units, which multiply blocks of 16 × 16 lanes
//! * [`profile`] what threads do with their time

pub mod buffer;
pub mod cache;
pub mod parallel;
pub mod profile;
pub mod tiles;
pub mod transpose;
pub mod vector;

pub use buffer::Buffer;
pub use parallel::Threads;
pub use vector::{Bf16, Bf16Unit, Element, InstructionSet, Simd, dispatch, dispatch_on};
