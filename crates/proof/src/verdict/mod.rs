//! From measured pairs to verdicts.

mod outcome;
mod rule;

pub use outcome::{Cost, Judged, Measured, Outcome, PairResult, Verdict};
pub(crate) use rule::won_after;
pub use rule::{judge, settled_after};
