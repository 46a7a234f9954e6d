//! The lines of `events.jsonl` and `steps.jsonl`.

use crate::float;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of `events.jsonl`. The field `event` names the kind in snake case.
///
/// Times are RFC 3339 in UTC, as [`now`](crate::now) gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    Start {
        /// Versions of Wellfit and of what it stands on, by name.
        versions: BTreeMap<String, String>,
        /// The machine: operating system, processor.
        host: String,
        /// Threads used for computing.
        threads: u32,
        /// When.
        time: String,
    },
    /// An epoch ended.
    Epoch(EpochRecord),
    /// The learning rate changed.
    LrChange {
        /// The epoch after which it changed.
        epoch: u32,
        /// The old rate.
        #[serde(with = "float")]
        from: f64,
        /// The new rate.
        #[serde(with = "float")]
        to: f64,
        /// Why, for people.
        reason: String,
    },
    /// An epoch brought no improvement.
    EarlyStoppingCounter {
        /// The epoch.
        epoch: u32,
        /// Epochs without improvement so far.
        counter: u32,
        /// How many stop the run.
        patience: u32,
    },
    /// A checkpoint was committed.
    Checkpoint {
        /// Its name, such as `best`.
        name: String,
        /// Epochs done.
        epoch: u32,
        /// Steps done.
        step: u64,
        /// SHA-256 of its `manifest.json`, which holds those of all its files.
        sha256: String,
    },
    /// The test set was evaluated.
    Test {
        /// The epoch whose weights were tested.
        epoch: u32,
        /// Mean loss.
        #[serde(with = "float")]
        loss: f64,
        /// Share of right answers, 0 to 1.
        #[serde(with = "float")]
        accuracy: f64,
    },
    /// The run was interrupted and had time to say so.
    Interrupted {
        /// Epochs done.
        epoch: u32,
        /// Steps done.
        step: u64,
        /// Why, for people.
        reason: String,
        /// When.
        time: String,
    },
    /// The run goes on from a checkpoint, or from its beginning where there was none.
    Resumed {
        /// Epochs done at the checkpoint.
        epoch: u32,
        /// Steps done at the checkpoint.
        step: u64,
        /// The checkpoint's directory, such as `0007-last`; empty for the beginning.
        checkpoint: String,
        /// Threads used for computing from here on.
        #[serde(default)]
        threads: u32,
        /// When.
        time: String,
    },
    /// The run ended of its own accord.
    Stop {
        /// The kind, for programs: `finished`, `early_stopping`.
        reason: String,
        /// The same for people.
        message: String,
        /// The last epoch.
        epoch: u32,
        /// The best epoch, if one was better than nothing.
        best_epoch: Option<u32>,
        /// The watched metric at the best epoch.
        #[serde(with = "float::option", default)]
        best_value: Option<f64>,
        /// When.
        time: String,
    },
    /// Something the user should know.
    Warning {
        /// The sentence.
        message: String,
    },
    /// An event of a later version, which this one does not know. Never written.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Whether the event stays true when the run goes back to where `epoch` epochs and `step` steps were
    /// done. Interruptions and resumptions happened whatever the run does next; a later epoch will be told again.
    pub(crate) fn outlives(&self, epoch: u32, step: u64) -> bool {
        match self {
            Self::Epoch(EpochRecord { epoch: at, .. })
            | Self::LrChange { epoch: at, .. }
            | Self::EarlyStoppingCounter { epoch: at, .. }
            | Self::Test { epoch: at, .. } => *at <= epoch,
            Self::Checkpoint { epoch: at, step: at_step, .. } => *at <= epoch && *at_step <= step,
            Self::Stop { .. } => false,
            Self::Start { .. }
            | Self::Interrupted { .. }
            | Self::Resumed { .. }
            | Self::Warning { .. }
            | Self::Unknown => true,
        }
    }
}

/// What an epoch came to. Losses are means over samples; accuracies are shares from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Steps done at its end.
    pub step: u64,
    /// Mean loss on the training samples, as they were trained on.
    #[serde(with = "float")]
    pub train_loss: f64,
    /// Share of right answers on the training samples.
    #[serde(with = "float")]
    pub train_accuracy: f64,
    /// Mean loss on the validation samples.
    #[serde(with = "float")]
    pub val_loss: f64,
    /// Share of right answers on the validation samples.
    #[serde(with = "float")]
    pub val_accuracy: f64,
    /// The learning rate the epoch trained with.
    #[serde(with = "float")]
    pub lr: f64,
    /// The whole epoch.
    #[serde(with = "float")]
    pub seconds: f64,
    /// The training pass.
    #[serde(with = "float")]
    pub train_seconds: f64,
    /// The validation pass.
    #[serde(with = "float")]
    pub val_seconds: f64,
    /// How long the training pass waited for data.
    #[serde(with = "float")]
    pub data_wait_seconds: f64,
    /// Training samples a second of the training pass.
    #[serde(with = "float")]
    pub images_per_second: f64,
}

/// One line of `steps.jsonl`: the losses of one training step, one for each model trained side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The step, from 1, counted over all epochs.
    pub step: u64,
    /// The learning rate.
    #[serde(with = "float")]
    pub lr: f64,
    /// The batch's mean loss by model; [`StepRecord::LOSS`] where there is only one.
    #[serde(with = "float::map")]
    pub losses: BTreeMap<String, f64>,
}

impl StepRecord {
    /// The name of the loss of a run with one model.
    pub const LOSS: &str = "loss";

    /// A step of the only model.
    #[must_use]
    pub fn of_one(epoch: u32, step: u64, lr: f64, loss: f64) -> Self {
        Self { epoch, step, lr, losses: BTreeMap::from([(Self::LOSS.to_owned(), loss)]) }
    }
}

/// Drops what a resumed run has told again: a row replaces the earlier ones from its own number on.
///
/// The files are append-only, so a run that went back to an older checkpoint has some rows twice.
pub(crate) fn last_telling<T>(rows: impl IntoIterator<Item = T>, number: impl Fn(&T) -> u64) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for row in rows {
        while kept.last().is_some_and(|last| number(last) >= number(&row)) {
            kept.pop();
        }
        kept.push(row);
    }
    kept
}

/// The epochs among `events`, in order; one that was trained again after a resume counts once, as told last.
#[must_use]
pub fn epochs(events: &[Event]) -> Vec<EpochRecord> {
    let told = events.iter().filter_map(|event| match event {
        Event::Epoch(record) => Some(*record),
        _ => None,
    });
    last_telling(told, |record| u64::from(record.epoch))
}

/// The share of the training passes' time, from 0 to 1, in which computing waited for data; 0 before any.
#[must_use]
pub fn data_wait_share(epochs: &[EpochRecord]) -> f64 {
    let total = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).sum::<f64>();
    let trained = total(|epoch| epoch.train_seconds);
    if trained > 0.0 { total(|epoch| epoch.data_wait_seconds) / trained } else { 0.0 }
}

/// The epoch with the lowest validation loss, the earliest of equals. NaN is never the best.
#[must_use]
pub fn best_epoch(epochs: &[EpochRecord]) -> Option<&EpochRecord> {
    let told = epochs.iter().filter(|record| !record.val_loss.is_nan());
    told.min_by(|a, b| a.val_loss.total_cmp(&b.val_loss))
}
