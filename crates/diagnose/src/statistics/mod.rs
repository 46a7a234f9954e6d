//! Estimates that do not mind outliers, and the uncertainty of shares.

mod noise;
mod share;
mod trend;

pub use noise::{median, noise, robust_z};
pub use share::{difference_error, share_error};
pub use trend::{is_flat_after, theil_sen};
