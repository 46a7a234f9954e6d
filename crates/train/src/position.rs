//! Where a run stands: what `position.json` in a checkpoint holds.

use crate::metrics::Average;
use crate::policies::Policies;
use serde::{Deserialize, Serialize};
use wellfit_record::{EpochRecord, StopReason};

/// Where a run stands, besides its weights and the optimiser's moments. Everything random is a function of
/// the seed and this position, so no generator has a state to keep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The epochs done.
    pub epochs: Vec<EpochRecord>,
    /// Place in `epochs` of the best one.
    pub best: Option<usize>,
    /// How many stages of the backbone train, where some were frozen at first.
    #[serde(default)]
    pub stages: Option<usize>,
    /// The learning rate, unless a schedule gives it.
    pub lr: f64,
    /// The training pass under way.
    pub pass: PartialPass,
    /// How many times weights were taken into their average.
    #[serde(default)]
    pub averaged: u64,
    /// Why the run is over although epochs are left.
    pub stop: Option<Stop>,
    /// Seconds of computing, over all interruptions.
    pub seconds: f64,
    /// The state of the policies.
    pub policies: Policies,
}

/// The part of a training pass that is done.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct PartialPass {
    /// Batches learned from.
    pub batches: usize,
    /// What was measured on them.
    pub average: Average,
    /// The rate of the last step.
    pub lr: f64,
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds it waited for data.
    pub wait: f64,
}

/// Why a run ends: a kind, and a sentence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub kind: StopReason,
    pub reason: String,
}

impl Position {
    /// Whether the weights here are the best epoch's.
    pub fn is_best(&self) -> bool {
        self.pass.batches == 0 && self.best.is_some_and(|place| place + 1 == self.epochs.len())
    }

    /// Refuses a position that contradicts itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        match self.best {
            Some(place) if place >= self.epochs.len() => Err(format!("there is no best epoch {place}")),
            _ => Ok(()),
        }
    }
}
