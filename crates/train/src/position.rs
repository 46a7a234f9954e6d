//! Where a run stands: what `position.json` in a checkpoint holds.

use crate::metrics::Average;
use crate::policies::Policies;
use serde::{Deserialize, Serialize};
use wellfit_record::{EpochRecord, StopReason};

/// Larger than any time in seconds and any learning rate of a run.
const MOST: f64 = 1e12;

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
    /// The step after which the run went on although it had been told to stop there.
    #[serde(default)]
    pub went_on: Option<u64>,
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
    /// The sum of their plain cross-entropies, where these are recorded.
    #[serde(default)]
    pub plain: f64,
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

    /// Refuses a position that contradicts itself, or that no run with epochs of `batches` batches comes to: later code
    /// counts with its numbers.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, batches: usize) -> Result<(), String> {
        if let Some(place) = self.best.filter(|&place| place >= self.epochs.len()) {
            return Err(format!("there is no best epoch {place}"));
        }
        if self.pass.batches > batches {
            return Err(format!("{} of {batches} batches are done", self.pass.batches));
        }
        let mut before = 0;
        for (number, record) in (1_u32..).zip(&self.epochs) {
            let made = record.step.checked_sub(before).filter(|made| (1..=batches as u64).contains(made));
            if record.epoch != number || made.is_none() {
                return Err(format!("epoch {number} is said to be {} at step {}", record.epoch, record.step));
            }
            before = record.step;
        }
        let times = [self.seconds, self.pass.seconds, self.pass.wait];
        let times = times
            .into_iter()
            .chain(self.epochs.iter().flat_map(|epoch| [epoch.seconds, epoch.train_seconds]));
        let rates = [self.lr, self.pass.lr];
        match times.chain(rates).find(|number| !(0.0..MOST).contains(number)) {
            Some(number) => Err(format!("a time or a rate of {number}")),
            None => Ok(()),
        }
    }

    /// Refuses a count of steps that is not that of the position, where a step learns from `accumulate` batches.
    ///
    /// # Errors
    /// How they differ.
    pub fn check_step(&self, step: u64, accumulate: u32) -> Result<(), String> {
        let before = self.epochs.last().map_or(0, |epoch| epoch.step);
        let within = self.pass.batches.div_ceil(accumulate.max(1) as usize) as u64;
        if step == before + within {
            return Ok(());
        }
        Err(format!("the optimiser has made {step} steps, the epochs say {}", before + within))
    }
}
