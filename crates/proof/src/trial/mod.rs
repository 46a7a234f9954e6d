//! The bookkeeping of a trial: which pair is next, and from where its arms need runs of their own.

mod branching;
mod queue;

pub use branching::{Branch, Course, Touches, branch, cannot_begin_late, first_other_rate, touches};
pub use queue::{Next, PairId, PairState, next_pair};
