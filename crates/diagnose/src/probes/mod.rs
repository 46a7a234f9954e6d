//! What a record cannot tell and a look at the network can: pure arithmetic on what `wellfit probe` measures.
//!
//! * [`suspects`] labels that are probably wrong, by probabilities out of sample
//! * [`Losses`] and [`Gap`]: of what the gap between training and validation consists

mod gap;
mod suspects;

pub use gap::{Gap, Losses};
pub use suspects::{Suspect, confident_thresholds, suspects};
