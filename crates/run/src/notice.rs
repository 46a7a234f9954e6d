//! Messages about a run, each with its sentence.

use crate::figures::{count, duration, loss, percent};
use crate::machine::path;
use crate::options::PrecisionName;
use std::fmt;
use std::path::PathBuf;
use wellfit_models::Precision;
use wellfit_record::StopReason;
use wellfit_simd::Bf16Unit;
use wellfit_train::Outcome;

/// A message to the user. `Display` is the sentence; settings stand in it in backquotes, as `batch_size`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// Unusable files were left out; one [`FileLeftOut`](Self::FileLeftOut) each follows.
    FilesLeftOut {
        /// How many.
        count: usize,
    },
    /// An unusable file was left out.
    FileLeftOut {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The test part decides which epoch is best.
    TestDecides,
    /// A frozen backbone has random weights.
    RandomBackbone {
        /// torchvision's file of ImageNet weights for the architecture, without `.pth`.
        file: Option<&'static str>,
    },
    /// Weights were read.
    WeightsFrom {
        /// The file.
        path: PathBuf,
    },
    /// The head in the weight file was for another number of classes.
    HeadReplaced {
        /// Classes in the file.
        theirs: usize,
        /// Classes of the data.
        classes: usize,
    },
    /// Where the run is computed.
    Device {
        /// The device's name.
        name: String,
    },
    /// How values are stored and multiplied.
    Precision {
        /// The setting.
        asked: PrecisionName,
        /// What it means on this machine.
        precision: Precision,
    },
    /// The network.
    Network {
        /// Three lines.
        summary: String,
        /// The table of its layers, which `Display` leaves out.
        layers: String,
    },
    /// How long training may be.
    Length {
        /// Batches in an epoch.
        batches: usize,
        /// Images in a batch.
        batch_size: usize,
        /// Epochs at most.
        epochs: u32,
    },
    /// The data.
    Data {
        /// The name of the data.
        name: String,
        /// Training images.
        train: usize,
        /// Validation images.
        validation: usize,
        /// Test images, if there are any.
        test: Option<usize>,
        /// Classes.
        classes: usize,
    },
    /// A learning-rate scheduler is on.
    SchedulerOn,
    /// Early stopping is on.
    EarlyStoppingOn,
    /// Early stopping comes before the scheduler can lower the rate.
    SchedulerPrecluded {
        /// Early stopping's patience.
        patience: u32,
        /// The scheduler's.
        lr_patience: u32,
    },
    /// Early stopping ends the run in the epoch in which the scheduler lowers the rate.
    SchedulerTooLate,
    /// Plain gradient descent with a low rate.
    SlowSgd {
        /// The learning rate.
        lr: f64,
    },
    /// A run begins.
    Run {
        /// Its directory.
        path: PathBuf,
    },
    /// A run is resumed.
    Resuming {
        /// Its directory.
        path: PathBuf,
        /// From where.
        place: String,
    },
    /// A resumed run may train more epochs than it was begun with.
    MoreEpochs {
        /// How many in all.
        epochs: u32,
        /// Its schedule, if the rate moves with one.
        schedule: Option<String>,
    },
    /// A checkpoint cannot be used, an earlier one is.
    CheckpointDamaged {
        /// Which, and what is wrong with it.
        damaged: String,
    },
    /// A run began on another kind of machine, or with another version.
    OtherMachine {
        /// The whole sentence.
        message: String,
    },
    /// A run with the same settings and data is being written by another process.
    UnderWay {
        /// Its directory.
        path: PathBuf,
    },
    /// There is no run to resume.
    NothingToResume {
        /// Where one was looked for.
        place: PathBuf,
    },
    /// The cache can keep nothing more.
    CacheFailed {
        /// Why.
        problem: String,
    },
    /// A run failed, what it left stays.
    RunSoFar {
        /// Its directory.
        path: PathBuf,
    },
    /// Training ended before the last epoch.
    Stopped {
        /// The epoch.
        epoch: usize,
        /// Why.
        reason: String,
    },
    /// How long training took.
    TrainingTime {
        /// Seconds, over all interruptions.
        seconds: f64,
    },
    /// How long it waited for data.
    WaitedForData {
        /// The share of the training passes.
        share: f64,
    },
    /// The plots are about to be written.
    SavingPlots,
    /// The best weights are about to be written.
    SavingModel,
    /// The best epoch.
    BestEpoch {
        /// Its number.
        epoch: u32,
        /// Epochs in all.
        epochs: usize,
        /// Its validation loss.
        val_loss: f64,
        /// Its validation accuracy.
        val_accuracy: f64,
    },
    /// A network is about to be quantised.
    Calibrating {
        /// How many images are watched.
        count: usize,
        /// How many there are.
        images: usize,
    },
    /// All is done.
    Complete {
        /// Seconds, over all interruptions.
        seconds: f64,
        /// The run's directory.
        run: PathBuf,
    },
    /// A `config.json` asks for preprocessing that is not done.
    PreprocessingUnlike {
        /// The file.
        path: PathBuf,
        /// What it asks for.
        unlike: String,
    },
    /// A `config.json` that cannot be used.
    ConfigLeftOut {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Notice {
    /// Whether it is a warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::FilesLeftOut { .. }
                | Self::FileLeftOut { .. }
                | Self::RandomBackbone { .. }
                | Self::SchedulerPrecluded { .. }
                | Self::SchedulerTooLate
                | Self::SlowSgd { .. }
                | Self::CheckpointDamaged { .. }
                | Self::OtherMachine { .. }
                | Self::CacheFailed { .. }
                | Self::PreprocessingUnlike { .. }
                | Self::ConfigLeftOut { .. }
        )
    }

    /// How training ended.
    pub(crate) fn of_the_end(outcome: &Outcome, waited: f64) -> Vec<Self> {
        let stopped = (outcome.stop != StopReason::Finished)
            .then(|| Self::Stopped { epoch: outcome.epochs.len(), reason: outcome.stop_message.clone() });
        let rest = [Self::TrainingTime { seconds: outcome.seconds }, Self::WaitedForData { share: waited }];
        stopped.into_iter().chain(rest).collect()
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FilesLeftOut { count } => write!(f, "{count} unusable files are left out:"),
            Self::FileLeftOut { path, reason } => write!(f, "  {}: {reason}", path.display()),
            Self::TestDecides => f.write_str(
                "Note: test/ decides which epoch is best here, as in the textbook's recipe, so its figures are optimistic. \
                 `wellfit train` keeps test/ for the end.",
            ),
            Self::RandomBackbone { file } => {
                f.write_str("`freeze` without `weights` trains a head on random features")?;
                file.map_or(Ok(()), |file| write!(f, "; torchvision's ImageNet weights are in {file}.pth"))
            }
            Self::WeightsFrom { path } => write!(f, "Weights from {}", path.display()),
            Self::HeadReplaced { theirs, classes } => {
                write!(f, "Their head has {theirs} classes: replaced by a new one with {classes}")
            }
            Self::Device { name } => write!(f, "Computation device: {name}"),
            Self::Precision { asked, precision } => precision_sentence(f, *asked, *precision),
            Self::Network { summary, .. } => f.write_str(summary),
            Self::Length { batches, batch_size, epochs } => {
                let batches = count(*batches as u64);
                let epochs =
                    if *epochs == 1 { "is 1 epoch".to_owned() } else { format!("are {} epochs", count((*epochs).into())) };
                write!(f, "An epoch is {batches} batches of {batch_size} images; there {epochs} at most")
            }
            Self::Data { name, train, validation, test, classes } => {
                let test = test.map_or(String::new(), |test| format!(", {} test", count(test as u64)));
                let [train, validation] = [*train, *validation].map(|images| count(images as u64));
                write!(f, "Data: {name}, {train} training, {validation} validation{test} images, {classes} classes")
            }
            Self::SchedulerOn => f.write_str("INFO: Initializing learning rate scheduler"),
            Self::EarlyStoppingOn => f.write_str("INFO: Initializing early stopping"),
            Self::SchedulerPrecluded { patience, lr_patience } => write!(
                f,
                "with `patience` {patience} and `lr_patience` {lr_patience}, early stopping ends a stalled run before \
                 the scheduler can lower the rate. Give early stopping more patience, such as `patience` {}",
                2 * lr_patience + 2
            ),
            Self::SchedulerTooLate => f.write_str(
                "early stopping ends a stalled run at the very epoch in which the rate is first lowered",
            ),
            Self::SlowSgd { lr } => write!(f, "sgd with `lr` {lr} learns slowly; 0.01 or more is usual"),
            Self::Run { path } => write!(f, "Run: {}", path.display()),
            Self::Resuming { path, place } => write!(f, "Resuming {} from {place}", path.display()),
            Self::MoreEpochs { epochs, schedule } => {
                write!(f, "It goes on to {epochs} epochs; early stopping, if it is on, counts from 0")?;
                schedule.as_ref().map_or(Ok(()), |schedule| {
                    write!(f, ". The rate goes on as the schedule {schedule} has it for {epochs} epochs")
                })
            }
            Self::CheckpointDamaged { damaged } => write!(f, "a checkpoint is passed over: {damaged}"),
            Self::OtherMachine { message } => f.write_str(message),
            Self::UnderWay { path } => write!(f, "{} is under way in another process", path.display()),
            Self::NothingToResume { place } => write!(
                f,
                "No unfinished run of this configuration and these data in {}: a new one begins",
                place.display()
            ),
            Self::CacheFailed { problem } => {
                write!(f, "`cache` disk: {problem}. The run goes on, but nothing more is kept")
            }
            Self::RunSoFar { path } => write!(f, "The run so far is in {}", path.display()),
            Self::Stopped { epoch, reason } => write!(f, "Stopped after epoch {epoch}: {reason}"),
            Self::TrainingTime { seconds } => write!(f, "Training time: {}", duration(*seconds)),
            Self::WaitedForData { share } => {
                write!(f, "Waiting for data: {} of the training passes", percent(*share))
            }
            Self::SavingPlots => f.write_str("Saving loss and accuracy plots..."),
            Self::SavingModel => f.write_str("Saving model..."),
            Self::BestEpoch { epoch, epochs, val_loss, val_accuracy } => write!(
                f,
                "Best epoch {epoch} of {epochs}: val loss {}, val accuracy {}",
                loss(*val_loss),
                percent(*val_accuracy)
            ),
            Self::Calibrating { count, images } => {
                write!(f, "Calibrating int8 on {count} of {images} training images...")
            }
            Self::Complete { seconds, run } => {
                write!(f, "TRAINING COMPLETE in {}: {}", duration(*seconds), run.display())
            }
            Self::PreprocessingUnlike { path, unlike } => write!(
                f,
                "{} asks for {unlike}; images are resized bilinearly to the whole input instead",
                path.display()
            ),
            Self::ConfigLeftOut { path, problem } => {
                write!(f, "{} is left out of account: {problem}", path.display())
            }
        }
    }
}

/// What is computed how, and for what reason.
fn precision_sentence(f: &mut fmt::Formatter<'_>, asked: PrecisionName, precision: Precision) -> fmt::Result {
    let (name, unit) = (precision.name(), Bf16Unit::current());
    match (asked, unit) {
        (PrecisionName::Auto, Bf16Unit::Widened) => {
            write!(f, "Precision: {name}, since this processor has no instructions for bf16")
        }
        (PrecisionName::Auto, _) => {
            write!(f, "Precision: {name}, since this processor has instructions for it ({})", unit.name())
        }
        (_, Bf16Unit::Widened) => write!(
            f,
            "Precision: {name}, widened to f32, since this processor has no instructions for it: it saves memory, not time"
        ),
        _ => write!(f, "Precision: {name} ({})", path(precision)),
    }
}
