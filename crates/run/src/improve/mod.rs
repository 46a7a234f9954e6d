//! Improving a configuration: diagnose it, test what is advised by paired runs, adopt what is proven, and again.

mod account;
mod advised;
mod budget;
mod look;
mod place;
mod result;
mod round;
mod session;
mod step;

pub use budget::Budget;
pub use look::{FinalLook, OnTest};
pub use result::Improved;
pub use round::Round;
pub use session::{Improve, Repair, improve};
pub use step::{Step, Stop};
