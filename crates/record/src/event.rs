//! The lines of `events.jsonl` and `steps.jsonl`.

use crate::epoch::EpochRecord;
use crate::manifest::FileEntry;
use crate::request::Request;
use crate::stop::StopReason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wellfit_base::number;

/// One line of `events.jsonl`. The field `event` names the kind in snake case.
///
/// Times are RFC 3339 in UTC, as [`now`](crate::now) gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line: the run whose events these are.
    Run {
        /// Its id.
        id: String,
    },
    /// The run began.
    Start {
        /// Versions of Wellfit and of the libraries it uses, by name.
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
    /// Which validation images an epoch's weights answered rightly, where a run was asked to record it.
    Answers {
        /// The epoch.
        epoch: u32,
        /// How many images there are, in the order of the data.
        images: u64,
        /// A bit for each image, set where the answer was right: hexadecimal digits, the first image in the highest bit.
        right: String,
    },
    /// The learning rate changed.
    LrChange {
        /// The epoch after which it changed.
        epoch: u32,
        /// The old rate.
        #[serde(with = "number")]
        from: f64,
        /// The new rate.
        #[serde(with = "number")]
        to: f64,
        /// Why, as a sentence.
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
    /// The run was interrupted and had time to say so.
    Interrupted {
        /// Epochs done.
        epoch: u32,
        /// Steps done.
        step: u64,
        /// Why, as a sentence.
        reason: String,
        /// When.
        time: String,
    },
    /// The run was resumed from a checkpoint, or from its beginning where there was none.
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
    /// Somebody asked for something while the run was under way, and it was done.
    Requested {
        /// What.
        request: Request,
        /// The epoch in which it was done.
        epoch: u32,
        /// The step after which it was done: the next one is the first to differ.
        step: u64,
        /// When.
        time: String,
    },
    /// The run began with what another one had trained: its own training would have been the same to the bit up to there.
    Branched {
        /// The directory of that run, seen from the directory of this one.
        from: String,
        /// Epochs done there.
        epoch: u32,
        /// Steps done there.
        step: u64,
    },
    /// The run ended of its own accord.
    Stop {
        /// The kind, for programs.
        reason: StopReason,
        /// The same as a sentence.
        message: String,
        /// The last epoch.
        epoch: u32,
        /// The best epoch, if one was better than nothing.
        best_epoch: Option<u32>,
        /// The metric that decides which epoch is best, at that epoch.
        #[serde(with = "number::option", default)]
        best_value: Option<f64>,
        /// When.
        time: String,
    },
    /// Weights of an epoch were saved in a file of their own.
    File {
        /// The epoch.
        epoch: u32,
        /// Name, length and checksum.
        file: FileEntry,
    },
    /// What the run leaves in the end besides its record and checkpoints: the best weights, pictures, texts. All of them
    /// are whole on the disk.
    Files {
        /// Name, length and checksum of each.
        files: Vec<FileEntry>,
    },
    /// The best weights were evaluated on images that the run did not train on.
    Evaluated {
        /// The part of the data, such as `test`.
        part: String,
        /// How many images.
        images: u64,
        /// The mean loss, in nats.
        #[serde(with = "number")]
        loss: f64,
        /// The share of right answers.
        #[serde(with = "number")]
        accuracy: f64,
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
    /// Whether the event stays in the record when the run goes back to where `epoch` epochs and `step` steps were
    /// done. Interruptions and resumptions happened whatever the run does next; a later epoch will be trained, and
    /// recorded, again. What was asked from outside cannot be computed again, so it stays.
    pub(crate) fn stays_after_going_back_to(&self, epoch: u32, step: u64) -> bool {
        match self {
            Self::Epoch(EpochRecord { epoch: at, .. })
            | Self::Answers { epoch: at, .. }
            | Self::LrChange { epoch: at, .. }
            | Self::File { epoch: at, .. }
            | Self::EarlyStoppingCounter { epoch: at, .. } => *at <= epoch,
            Self::Checkpoint { epoch: at, step: at_step, .. }
            | Self::Branched { epoch: at, step: at_step, .. } => *at <= epoch && *at_step <= step,
            // The best weights may be others in the end.
            Self::Stop { .. } | Self::Files { .. } | Self::Evaluated { .. } => false,
            Self::Run { .. }
            | Self::Start { .. }
            | Self::Interrupted { .. }
            | Self::Resumed { .. }
            // It is done again after the same step.
            | Self::Requested { .. }
            | Self::Warning { .. }
            | Self::Unknown => true,
        }
    }
}

/// One line of `steps.jsonl`: the losses of one training step, one for each model trained side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The step, from 1, counted over all epochs.
    pub step: u64,
    /// The learning rate.
    #[serde(with = "number")]
    pub lr: f64,
    /// The batch's mean loss by model; [`StepRecord::LOSS`] where there is only one.
    #[serde(with = "number::map")]
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
