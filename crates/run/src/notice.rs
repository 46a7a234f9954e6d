//! Messages about a run, each with its sentence.

use crate::machine::path;
use crate::options::PrecisionName;
use std::fmt;
use std::path::PathBuf;
use wellfit_models::Precision;
use wellfit_record::{Metric, StopReason};
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
    /// A large network starts from random weights.
    RandomWeights {
        /// The architecture.
        model: String,
        /// torchvision's file of ImageNet weights for it, without `.pth`.
        file: &'static str,
        /// Training images.
        images: usize,
        /// The share of right answers that always naming the commonest class gives.
        chance: f64,
        /// Epochs at most.
        epochs: u32,
        /// Steps of an epoch.
        steps: usize,
        /// Seconds of a step, as measured.
        step: f64,
    },
    /// The data are what the run was trained on: only its validation part is judged by.
    OwnValidation {
        /// Training images.
        trained: usize,
        /// Validation images.
        validation: usize,
    },
    /// Some images to judge by were trained on.
    TrainedOn {
        /// How many.
        count: usize,
        /// Images in all.
        images: usize,
    },
    /// A run does not say what it was trained on.
    TrainingUnknown {
        /// Its directory.
        run: PathBuf,
    },
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
    /// A weight file does not say which architecture it is for, but looks like one.
    ModelRecognised {
        /// The file.
        path: PathBuf,
        /// The architecture.
        model: &'static str,
    },
    /// The network keeps its own head: that of the weight file is for other classes, has another name, or is not there.
    HeadReplaced {
        /// The name of the head in the file, if it is another.
        theirs: Option<String>,
        /// Classes in the file, if it has a head.
        had: Option<usize>,
        /// Classes of the data.
        classes: usize,
    },
    /// The head of the weight file has another name and is taken.
    HeadRenamed {
        /// Its name in the file.
        theirs: String,
        /// The name in the network.
        ours: String,
    },
    /// A weight file has the network's weights more than once.
    WeightsTwice {
        /// What stands before the names of those that are taken.
        taken: String,
        /// What stands before the names of the others.
        left: Vec<String>,
    },
    /// A weight file has arrays that the network has no use for.
    WeightsUnused {
        /// How many.
        count: usize,
        /// The names of some.
        some: Vec<String>,
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
    /// The network, layer by layer.
    Network {
        /// The table of its layers.
        summary: String,
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
        /// The metric that decided.
        by: Metric,
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
                | Self::WeightsTwice { .. }
                | Self::WeightsUnused { .. }
                | Self::RandomWeights { .. }
                | Self::TrainedOn { .. }
                | Self::TrainingUnknown { .. }
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
            Self::RandomWeights { model, file, images, chance, epochs, steps, step } => write!(
                f,
                "{model} starts from random weights, with {images} images to learn from. Always naming the commonest \
                 class gives {:.1} %: compare with that. {epochs} × {steps} steps take about {} ({step:.2} s a \
                 step, just measured), validation not counted. To start from torchvision's ImageNet weights, give \
                 `weights` {file}.pth",
                100.0 * chance,
                duration(f64::from(*epochs) * *steps as f64 * step)
            ),
            Self::OwnValidation { trained, validation } => write!(
                f,
                "The run was trained on {trained} of these images: the figures are of the other {validation}, which it \
                 validated on"
            ),
            Self::TrainedOn { count, images } if count == images => {
                write!(f, "all {images} images were trained on: these figures say nothing of new images")
            }
            Self::TrainedOn { count, images } => {
                write!(f, "{count} of {images} images were trained on: they are left out of the figures")
            }
            Self::TrainingUnknown { run } => write!(
                f,
                "{} was made by a version that did not write down its training images: if some of them are among \
                 these, the figures are too good",
                run.display()
            ),
            Self::RandomBackbone { file } => {
                f.write_str("`freeze` without `weights` trains a head on random features")?;
                file.map_or(Ok(()), |file| write!(f, "; torchvision's ImageNet weights are in {file}.pth"))
            }
            Self::WeightsFrom { path } => write!(f, "Weights from {}", path.display()),
            Self::ModelRecognised { path, model } => {
                write!(f, "{} does not name its architecture; it is that of {model}", path.display())
            }
            Self::HeadReplaced { theirs, had: Some(had), classes } => {
                let name = theirs.as_ref().map_or(String::new(), |name| format!(" `{name}`"));
                write!(f, "Their head{name} has {had} classes: replaced by a new one with {classes}")
            }
            Self::HeadReplaced { had: None, classes, .. } => {
                write!(f, "They have no head that fits: a new one with {classes} classes takes its place")
            }
            Self::HeadRenamed { theirs, ours } => write!(f, "Their head `{theirs}` is taken for `{ours}`"),
            Self::WeightsTwice { taken, left } => {
                write!(f, "the file has these weights more than once: those under {} are taken", under(taken))?;
                let left: Vec<String> = left.iter().map(|prefix| under(prefix)).collect();
                write!(f, ", not those under {}", left.join(", "))
            }
            Self::WeightsUnused { count, some } => {
                let names: Vec<String> = some.iter().map(|name| format!("‘{name}’")).collect();
                let more = if *count > some.len() { ", …" } else { "" };
                let arrays = if *count == 1 { "array" } else { "arrays" };
                write!(f, "{count} {arrays} of the file have no use here: {}{more}", names.join(", "))
            }
            Self::Device { name } => write!(f, "Computation device: {name}"),
            Self::Precision { asked, precision } => precision_sentence(f, *asked, *precision),
            Self::Network { summary } => f.write_str(summary),
            Self::Data { name, train, validation, test, classes } => {
                let test = test.map_or(String::new(), |test| format!(", {test} test images"));
                write!(f, "{name}: {train} training, {validation} validation{test}, {classes} classes")
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
            Self::TrainingTime { seconds } => write!(f, "Training time: {:.3} minutes", seconds / 60.0),
            Self::WaitedForData { share } => {
                write!(f, "Waiting for data: {:.1} % of the training passes", 100.0 * share)
            }
            Self::SavingPlots => f.write_str("Saving loss and accuracy plots..."),
            Self::SavingModel => f.write_str("Saving model..."),
            Self::BestEpoch { epoch, epochs, by, val_loss, val_accuracy } => write!(
                f,
                "Best epoch {epoch} of {epochs} by {}: val loss {val_loss:.4}, val accuracy {:.2} %",
                by.name(),
                100.0 * val_accuracy
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

/// What stands before names, as a word.
fn under(prefix: &str) -> String {
    if prefix.is_empty() { "their plain names".to_owned() } else { format!("`{prefix}`") }
}

/// Seconds as `42 s`, `3 min 20 s` or `2 h 5 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
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
