//! The two passes over a network, as its plan says.

mod backward;
mod flows;
mod forward;
mod values;

pub use backward::Gradients;
pub use forward::{DropoutKey, Tape};

pub(crate) use flows::Flows;
pub(crate) use values::Values;
