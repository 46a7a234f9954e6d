//! Statistics of paired trials: did a technique help, by how much, how sure is it, how many seeds more would it take?
//!
//! A seed is the unit: both arms of a pair share everything random, and the pair's difference is one number. No tensors, no
//! training, no files.
//!
//! | question | answer |
//! |---|---|
//! | How large is the difference, on these images? | [`Paired`], [`Boundary::interval`] |
//! | And with new images and new seeds? | [`Crossed`] |
//! | Could it be chance? | [`sign_flip_p`], [`Paired::t_p`]; at any time [`e_value`] |
//! | Is it too small to matter? | [`equivalent`] |
//! | How many pairs does it take? | [`pairs_needed`], [`more_pairs`] |
//! | Which images changed sides? | [`Flips`] |
//! | What is a run with its best epoch worth? | [`judged_by_halves`] |
//! | What did pairing save? | [`correlation`], [`saving`] |
//! | Several techniques? | [`holm`], [`bonferroni`], [`contrasts`] |
//! | So, what is the verdict? | [`judge`], by the [`Design`] |
//! | Which pair is next, what do its arms share? | [`trial`] |
//!
//! What the rules do by chance is simulated (docs/prove.md); each formula is checked against scipy and statsmodels
//! (docs/parity.md).

mod boundary;
mod crossed;
mod design;
mod design_file;
mod distributions;
mod error;
mod factorial;
mod flips;
mod halves;
mod paired;
mod power;
mod several;
mod sign_flip;
pub mod trial;
mod verdict;

pub use boundary::{Boundary, G, e_value, equivalent};
pub use crossed::Crossed;
pub use design::{BASELINE, Design, FIRST_LOOK, Pairs, Settings, Technique};
pub use error::ProofError;
pub use factorial::{MOST_FACTORS, contrast_arms, contrasts};
pub use flips::Flips;
pub use halves::judged_by_halves;
pub use paired::{Paired, Seeds, correlation, saving};
pub use power::{MOST_PAIRS, POWER, cautious_deviation, more_pairs, pairs_needed, power};
pub use several::{bonferroni, holm};
pub use sign_flip::{DRAWS, MOST_EXACT, fewest_pairs, sign_flip_p};
pub use verdict::{Cost, Judged, Measured, Outcome, PairResult, Verdict, judge, settled_after};
