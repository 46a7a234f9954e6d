//! The two passes over a network, as its plan says.

mod backward;
mod flows;
mod forward;
mod grad_cam;
mod parts;
mod repeat;
mod values;

pub use backward::{Gradients, Ready};
pub use forward::{DropoutKey, Tape};
pub use grad_cam::GradCam;
pub use parts::{Parts, PartsReady};
pub use repeat::{Repeated, Silence};

pub(crate) use flows::Flows;
pub(crate) use values::Values;
