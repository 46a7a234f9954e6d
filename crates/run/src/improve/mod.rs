//! Improving a configuration: diagnose it, look at what is advised and at what often helps, prove the best of it by paired runs,
//! adopt what is proven, and again.

mod account;
mod advised;
mod budget;
mod look;
mod place;
mod result;
mod round;
mod session;
mod step;
mod usual;

pub use budget::Budget;
pub use look::{FinalLook, OnTest};
pub use result::Improved;
pub use round::Round;
pub use session::{Improve, Looked, Repair, improve};
pub use step::{Step, Stop};
