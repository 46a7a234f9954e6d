//! Figures of a classifier's answers: confusion, ranking, calibration, and how sure the figures are.
//!
//! Everything is a function of labels and of the network's outputs `[N, classes]`, row by row, as plain slices. The
//! values are those of scikit-learn where it has them (`tests/classification.rs`).

mod calibration;
mod confusion;
mod intervals;
mod ranking;

pub use calibration::{
    BINS, Bin, Calibration, calibration, expected_calibration_error, log_softmax, reliability,
};
pub use confusion::{ClassScores, Confusion};
pub use intervals::{Interval, RESAMPLES, bootstrap_macro_f1, wilson};
pub use ranking::{auc, auc_one_vs_rest, in_top};
