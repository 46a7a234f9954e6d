//! Runs side by side: in what they differ, and by how much their results do.

mod charts;
mod compared;
mod comparison;
mod differences;
mod settings;

pub use charts::charts;
pub use compared::Compared;
pub use comparison::{Comparison, compare};
pub use differences::{Basis, Difference};
pub use settings::SettingRow;
