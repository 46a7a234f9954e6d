//! How a caller watches and steers a run.

use crate::metrics::Average;
use std::time::Duration;
use wellfit_policy::{CheckpointDecision, Observation, PlateauStep};
use wellfit_record::{EpochRecord, Phase};

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

/// All that an epoch came to.
#[derive(Debug)]
pub struct EpochReport<'a> {
    /// Its figures.
    pub record: &'a EpochRecord,
    /// The lowest validation loss so far is this epoch's.
    pub best: bool,
    /// What early stopping says, when it is on.
    pub early_stopping: Option<&'a Observation>,
    /// What the plateau scheduler did, when it is on.
    pub plateau: Option<&'a PlateauStep>,
    /// What the Keras-style checkpoint did, when it is on.
    pub checkpoint: Option<&'a CheckpointDecision>,
}

/// Whether to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// End the run after this epoch, with this reason in the record. It counts as finished, not failed.
    Stop(String),
}

/// What a caller may do while a run goes on. Every method does nothing by default. A callback cannot fail:
/// what it shows is not worth a run. It may be called on another thread than the one that gave it, since a run may
/// execute inside a pool of threads.
pub trait Callback: Send {
    /// An epoch begins; `epochs` is how many there may be.
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        let _ = (epoch, epochs);
    }

    /// A batch is done.
    fn tick(&mut self, tick: &Tick) {
        let _ = tick;
    }

    /// Asked after every batch: a reason to end here and now. Training then saves where it stands, to be
    /// [resumed](crate::fit::resume), and returns [`TrainError::Interrupted`](crate::TrainError::Interrupted).
    fn interrupted(&mut self) -> Option<String> {
        None
    }

    /// An epoch is done, recorded and saved.
    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        let _ = report;
        Control::Continue
    }
}

/// Watches nothing.
impl Callback for () {}
