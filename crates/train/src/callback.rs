//! How a caller watches and steers a run.

use crate::metrics::Average;
use std::time::Duration;
use wellfit_policy::{CheckpointDecision, Observation, PlateauStep};
use wellfit_record::{Checkpoint, EpochRecord, Phase};

/// The state of a pass after one of its batches.
#[derive(Debug, Clone, Copy)]
pub struct Tick {
    /// Which pass it is.
    pub phase: Phase,
    /// The epoch, from 1.
    pub epoch: u32,
    /// Batches done in this pass.
    pub batch: usize,
    /// Batches in this pass.
    pub batches: usize,
    /// The running averages of this pass.
    pub average: Average,
    /// How long the pass has taken.
    pub elapsed: Duration,
}

/// The results of an epoch.
#[derive(Debug)]
pub struct EpochReport<'a> {
    /// Its figures.
    pub record: &'a EpochRecord,
    /// It is the best epoch so far: its weights are kept.
    pub best: bool,
    /// What early stopping says, when it is on.
    pub early_stopping: Option<&'a Observation>,
    /// What the plateau scheduler did, when it is on.
    pub plateau: Option<&'a PlateauStep>,
    /// What the Keras-style checkpoint did, when it is on.
    pub checkpoint: Option<&'a CheckpointDecision>,
}

/// Whether to continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Continue.
    Continue,
    /// End the run after this epoch, with this reason in the record. It counts as finished, not failed.
    Stop(String),
}

/// Called while a run is under way. Every method does nothing by default. A callback cannot fail, so showing progress
/// can never end a run. It may be called on another thread than the one that made it, since a run may execute inside
/// a pool of threads.
pub trait Callback: Send {
    /// An epoch begins; `epochs` is how many there may be.
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        let _ = (epoch, epochs);
    }

    /// A batch is done.
    fn tick(&mut self, tick: &Tick) {
        let _ = tick;
    }

    /// Asked after every batch: a reason to end at once. Training then saves its state, to be
    /// [resumed](crate::fit::resume), and returns [`TrainError::Interrupted`](crate::TrainError::Interrupted).
    fn interrupted(&mut self) -> Option<String> {
        None
    }

    /// A checkpoint stands: whatever happens, the run can go on from there, or has these best weights. That may be some
    /// steps after it was taken, for it is written while the next steps run.
    fn saved(&mut self, checkpoint: &Checkpoint) {
        let _ = checkpoint;
    }

    /// An epoch is done and recorded. Its checkpoints are being written; [`saved`](Self::saved) tells when they stand.
    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        let _ = report;
        Control::Continue
    }
}

/// A callback that does nothing.
impl Callback for () {}
