//! The training loop: model and data in, record out.
//!
//! * [`metric`] the four figures of an epoch, each with its unit and direction
//! * [`mod@fit`] the loop, and going on with it after an interruption
//! * [`mod@evaluate`] a pass over data in evaluation mode
//! * [`description`] what travels with weights
//! * [`features`] images, or the cached features of a frozen backbone, as inputs of a pass
//! * [`callback`] how a caller watches and steers a run

pub mod callback;
mod checkpoint;
pub mod description;
mod error;
pub mod evaluate;
mod every;
pub mod features;
pub mod fit;
mod memory;
pub mod metric;
mod policies;
mod session;

pub use callback::{Callback, Control, EpochReport, Pass, Tick};
pub use checkpoint::{BEST, LAST, checkpoint_weights, model_file, model_metadata};
pub use description::{Description, HintError, Hints};
pub use error::TrainError;
pub use evaluate::{Average, evaluate};
pub use every::Every;
pub use fit::{FitConfig, Outcome, fit, resume};
pub use memory::memory_need;
pub use metric::Metric;
