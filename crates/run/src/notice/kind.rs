//! The messages there are, and which of them warn.

use crate::check::Concern;
use crate::classes::ClassCounts;
use crate::improve::Step;
use crate::lost::Remedy;
use crate::options::{PrecisionName, ScaleLr};
use crate::spec::Difference;
use std::path::PathBuf;
use wellfit_data::Remark;
use wellfit_models::Precision;
use wellfit_record::{Metric, StopReason};
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
    /// Something about the folder of the data.
    Folder(Remark),
    /// Something that cannot work.
    Concern(Concern),
    /// The images of each class.
    Classes(ClassCounts),
    /// Folds are cut from the training part although there is a validation part.
    FoldsLeaveValidation,
    /// A fold of a cross-validation begins.
    Fold {
        /// Which, from 1.
        fold: u32,
        /// Of how many.
        folds: u32,
        /// Whether its run is there and finished.
        finished: bool,
    },
    /// An arm of a pair of a trial begins.
    Arm {
        /// The pair, from 1.
        pair: usize,
        /// Of how many, at most.
        pairs: usize,
        /// The arm: the baseline or a technique.
        arm: String,
        /// Whether its run is there and finished.
        finished: bool,
    },
    /// A treated run begins behind what it has in common with its pair's baseline.
    Branched {
        /// The epochs that are not trained again.
        epochs: u32,
    },
    /// A run with other policies begins behind what it has in common with another one.
    BranchedFrom {
        /// The other run.
        run: PathBuf,
        /// The epochs that are not trained again.
        epochs: u32,
        /// The epochs that both have in common; more where no state behind them is left.
        common: u32,
    },
    /// A run with other policies has some epochs in common with another one, but no state of it is left to begin behind.
    NoStateInCommon {
        /// The other run.
        run: PathBuf,
        /// The epochs that both have in common.
        common: u32,
    },
    /// What an improvement does next.
    Improving(Step),
    /// A technique whose settings the baseline has already.
    NoTechnique {
        /// Its name.
        name: String,
    },
    /// Nothing to do until another process is done with its pair.
    OtherProcess,
    /// The test part decides which epoch is best.
    TestDecides,
    /// The epochs that fit into the time there is.
    Fitted {
        /// How many.
        epochs: u32,
        /// How many there would be without a limit.
        of: u32,
        /// Seconds that they take, as measured.
        seconds: f64,
        /// Seconds there are.
        time: f64,
    },
    /// A learning rate is looked for.
    FindingLr {
        /// In so many steps.
        steps: u32,
    },
    /// It was found.
    LrFound {
        /// The rate.
        lr: f64,
    },
    /// The rate follows from the images of a step.
    LrScaled {
        /// The rule.
        rule: ScaleLr,
        /// What the rate is multiplied by.
        factor: f64,
        /// The rate.
        lr: f64,
    },
    /// Layers begin to train one stage after the other.
    Unfreezing {
        /// Epochs that train the head alone.
        head: u32,
        /// Epochs from one stage to the next.
        every: u32,
        /// How many stages there are.
        stages: usize,
    },
    /// Batches are computed in parts.
    Shards {
        /// How many.
        shards: usize,
        /// By how many processes.
        processes: usize,
    },
    /// How much of the training this process waited for sums over all processes.
    Waited {
        /// The share of the time.
        share: f64,
    },
    /// Weights will be averaged.
    Swa {
        /// From this epoch on.
        start: u32,
    },
    /// The features of a frozen backbone are computed anew in each epoch, because images vary without end.
    FeaturesNotKept,
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
    /// The recipe of the run: its name and its settings as the run has them.
    Recipe(String),
    /// Weights are downloaded.
    Downloading {
        /// From there.
        url: String,
        /// Bytes that an earlier, broken download left.
        resumed: u64,
    },
    /// Another process downloads the same weights.
    DownloadAwaited {
        /// The file to be.
        path: PathBuf,
    },
    /// A download went wrong and is tried again.
    DownloadRetried {
        /// What went wrong.
        problem: String,
        /// The pause before.
        seconds: f64,
    },
    /// Weights in a cache are not what their name says, and are left out.
    CachedWeightsDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
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
    /// A run lost something that had been on the disk.
    Lost {
        /// What, in words.
        lost: String,
        /// What becomes of it.
        remedy: Remedy,
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
    /// An unfinished run of the same data has other settings, so it is not the one to go on with.
    OtherSettings {
        /// Its directory.
        path: PathBuf,
        /// The settings, its own first.
        differences: Vec<Difference>,
    },
    /// The cache can keep nothing more.
    CacheFailed {
        /// Why.
        problem: String,
    },
    /// Another tool is not told of the run, or not of all of it.
    NotTold {
        /// Which.
        to: &'static str,
        /// Why not.
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
    /// A file system without locks.
    NoLocks {
        /// The run's directory.
        run: PathBuf,
    },
    /// A run's best weights are not as they were written; the best checkpoint has them, too.
    WeightsDamaged {
        /// What is wrong.
        problem: String,
        /// The run's directory.
        run: PathBuf,
        /// Whether the file was made again.
        repaired: bool,
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
        if let Self::Folder(remark) = self {
            return remark.is_warning();
        }
        matches!(
            self,
            Self::FilesLeftOut { .. }
                | Self::Concern(_)
                | Self::FileLeftOut { .. }
                | Self::DownloadRetried { .. }
                | Self::CachedWeightsDamaged { .. }
                | Self::RandomWeights { .. }
                | Self::NoTechnique { .. }
                | Self::TrainedOn { .. }
                | Self::TrainingUnknown { .. }
                | Self::WeightsTwice { .. }
                | Self::WeightsUnused { .. }
                | Self::FeaturesNotKept
                | Self::CheckpointDamaged { .. }
                | Self::Lost { .. }
                | Self::OtherMachine { .. }
                | Self::CacheFailed { .. }
                | Self::NotTold { .. }
                | Self::PreprocessingUnlike { .. }
                | Self::ConfigLeftOut { .. }
                | Self::NoLocks { .. }
                | Self::WeightsDamaged { .. }
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
