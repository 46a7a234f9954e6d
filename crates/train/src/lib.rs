//! The training loop: model and data in, record out.
//!
//! * [`step`] the training step, and [`lockstep`], several networks on the same batches
//! * [`metrics`] what is measured of a pass
//! * [`mod@fit`] the training loop, and how it continues after an interruption
//! * [`mod@branch`] a run that begins with what another one has trained
//! * [`lr_find`] the search for a learning rate
//! * [`mod@evaluate`] a pass over data in evaluation mode
//! * [`description`] what travels with weights
//! * [`features`] images, or the cached features of a frozen backbone, as inputs of a pass
//! * [`labels`] the targets of a pass, which may be mixtures of two classes
//! * [`Team`] several processes that share the batches of a run
//! * [`callback`] how a caller watches and steers a run

mod accumulation;
mod asked;
pub mod branch;
mod buckets;
pub mod callback;
mod checkpoint;
pub mod description;
mod ending;
mod error;
pub mod evaluate;
mod every;
pub mod features;
pub mod fit;
pub mod labels;
pub mod lockstep;
pub mod lr_find;
mod measured;
mod memory;
pub mod metrics;
mod orders;
mod policies;
mod position;
mod prepared;
mod session;
mod sharded;
mod statistics;
pub mod step;
mod swa;
mod synchronised;
mod team;
mod tree;
mod unfreezing;

pub use branch::{branch, parts_after};
pub use callback::{Callback, Control, EpochReport, Tick};
pub use checkpoint::{BEST, LAST, checkpoint_weights, is_over, model_file, model_metadata};
pub use description::{Description, HintError, Hints, is_int8};
pub use error::TrainError;
pub use evaluate::evaluate;
pub use every::Every;
pub use fit::{FitConfig, Outcome, fit, resume};
pub use labels::{Labels, MixedCrossEntropy};
pub use lr_find::find_lr;
pub use memory::memory_need;
pub use metrics::{Average, Scored};
pub use orders::follow;
pub use statistics::TrainEval;
pub use step::{Direction, MeanSquaredError, Objective, StepObserver, StepOutcome, StepPart, Trainer};
pub use swa::Swa;
pub use team::Team;
pub use unfreezing::stages_after;
pub use wellfit_record::{Metric, Phase};
