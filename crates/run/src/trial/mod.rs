//! Trials: pairs of runs with and without a technique, and the verdicts on them.

mod pair;
mod picture;
mod plan;
mod techniques;
mod work;

pub use plan::Ask;
pub use work::{Proof, prove};
