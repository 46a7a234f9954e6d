//! What the record of a run cannot tell, measured on a copy of its best network: of what the gap between training and
//! validation consists, which labels are probably wrong, which images are there more than once.
//!
//! * `material` the network, the images it was trained and validated on, the record
//! * `losses` the gap: losses in evaluation mode, with running, re-estimated and batch statistics
//! * `batch_norm` statistics of BatchNorm that are not the running ones
//! * `labels` suspects among labels, by probabilities out of sample
//! * `report` all of it; as JSON, as files

mod batch_norm;
mod labels;
mod losses;
mod material;
mod report;

pub use labels::LabelProbe;
pub use losses::GapProbe;
pub use report::{PROBE, Probe, probe};
