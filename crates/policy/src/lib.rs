//! Pure state machines that decide about a training run, without tensors: when to stop it, when to lower
//! its learning rate, when to save it.
//!
//! | question | machine | like |
//! |---|---|---|
//! | Is it time to stop? | [`EarlyStopping`] | a PyTorch textbook's recipe, Keras, Lightning |
//! | Has the metric stalled, so lower the rate? | [`ReduceLrOnPlateau`] | torch, Keras |
//! | Which rate at this step? | [`Schedule`] | `torch.optim.lr_scheduler` |
//! | Which rate to begin with? | [`lr_finder::LrCurve`] | fastai's and Lightning's `lr_find` |
//! | Save the model now, under which name? | [`CheckpointPolicy`] | Keras' `ModelCheckpoint` |
//!
//! [`classification`] gives the figures that such decisions are made of.
//!
//! [`Replay`] asks the first three about a run that is over.
//!
//! The packages differ in details that change what a run does; [`Semantics`] picks whose rules apply.
//! Every machine is checked, epoch by epoch, against traces of the real packages (`tests/golden.rs`), and
//! can be written to a checkpoint and read back, NaN and infinities included.
//!
//! ```
//! use wellfit_policy::{EarlyStopping, EarlyStoppingConfig};
//! let mut stopping = EarlyStopping::new(EarlyStoppingConfig { patience: 2, ..Default::default() })?;
//! let losses = [0.9, 0.5, 0.6, 0.7];
//! let reasons: Vec<_> = (0..).zip(losses).filter_map(|(epoch, loss)| stopping.observe(epoch, loss).stop).collect();
//! assert_eq!(reasons[0].to_string(), "no improvement in 2 epochs in a row; the best was 0.5 at epoch 2");
//! # Ok::<(), wellfit_policy::PolicyError>(())
//! ```

mod checkpoint_policy;
pub mod classification;
mod direction;
mod early_stopping;
mod error;
pub mod family;
mod interplay;
pub mod lr_finder;
mod metric;
mod options;
mod pyformat;
mod reduce_on_plateau;
mod replay;
pub mod schedule;

pub use checkpoint_policy::{CheckpointConfig, CheckpointDecision, CheckpointPolicy};
pub use direction::direction;
pub use early_stopping::{
    EarlyStopping, EarlyStoppingConfig, EarlyStoppingReason, EarlyStoppingState, Observation,
};
pub use error::PolicyError;
pub use interplay::{
    earliest_reduction, earliest_stop, early_stopping_precludes_plateau, epochs_at_lowered_rate,
};
pub use metric::{Mode, Semantics};
pub use reduce_on_plateau::{PlateauConfig, PlateauState, PlateauStep, ReduceLrOnPlateau, ThresholdMode};
pub use replay::{RateRule, Replay, ReplayedEpoch};
pub use schedule::Schedule;
