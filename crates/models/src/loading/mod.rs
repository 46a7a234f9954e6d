//! Weights of other programs: which of a file's arrays is which of a network's, and which network they are for.
//!
//! * [`expected`] what a network needs, under torch's names
//! * [`places`] where in a file that is, whatever prefix the names have there
//! * [`load`] weights from a file into a network
//! * [`mod@likeness`] the architecture that a file looks like
//! * `finite` whether all are numbers
//! * [`misfit`] how a file does not fit, for people

pub mod expected;
pub(crate) mod finite;
pub mod likeness;
pub mod load;
pub mod misfit;
pub mod places;

pub use likeness::{Likeness, head_outputs, likeness};
pub use load::{HeadTaken, Loaded};
pub use misfit::{Misfit, Row};
