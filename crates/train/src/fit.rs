//! The training loop.

use crate::asked::Asked;
use crate::callback::{Callback, Control, EpochReport};
use crate::checkpoint::LAST;
use crate::error::TrainError;
use crate::every::Every;
use crate::orders::ended;
use crate::policies::EpochDecisions;
use crate::position::Stop;
use crate::prepared::Sources;
use crate::session::{Session, tell};
use crate::statistics::{TrainEval, head};
use crate::swa::Swa;
use crate::team::Team;
use std::collections::BTreeMap;
use std::sync::Arc;
use wellfit_data::Loader;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{Cpu, Engine, Network, Weighting};
use wellfit_policy::{CheckpointConfig, EarlyStoppingConfig, PlateauConfig, Schedule};
use wellfit_record::{
    EpochRecord, Event, LoadedCheckpoint, Metric, RunDir, RunWriter, Statistics, StopReason, epochs, now,
};

/// How to train. Start from [`FitConfig::default`] and set what differs.
#[derive(Debug, Clone)]
pub struct FitConfig {
    /// The device that computes the passes.
    pub engine: Arc<dyn Engine>,
    /// Epochs at most.
    pub epochs: u32,
    /// How many of them, the first, train the head alone: the network comes with its backbone frozen then, and all of it
    /// trains afterwards, by a fresh optimiser. `schedule` moves the rate in the epochs after these.
    pub freeze_epochs: u32,
    /// After these, let one more stage of the backbone train every so many epochs, the last one first
    /// ([`Network::train_stages`]); 0 for all at once.
    pub unfreeze_every: u32,
    /// The learning rate at the start.
    pub lr: f64,
    /// The optimiser.
    pub rule: Rule,
    /// The loss.
    pub loss: CrossEntropy,
    /// Gradients are scaled to this common norm at most.
    pub clip_norm: Option<f64>,
    /// How many batches a step learns from, 1 or more: the mean over all their images. An epoch's last step has the
    /// batches that are left. The run can be interrupted and saved between steps only.
    pub accumulate: u32,
    /// How the weights after each step count in an average, which is judged and kept in place of the weights of a step.
    /// It begins anew when frozen layers begin to train.
    pub averaging: Option<Weighting>,
    /// From some epoch on, average the weights that epochs end with, judge and keep the average. Not with `averaging`, nor
    /// from an epoch on after which more layers begin to train.
    pub swa: Option<Swa>,
    /// The rate of each step, from the rate at the start.
    pub schedule: Option<Schedule>,
    /// ReduceLROnPlateau and the metric it watches.
    pub lr_scheduler: Option<(Metric, PlateauConfig)>,
    /// Metrics that are measured and recorded besides those that every epoch has: those of the policies must be here.
    pub measured: Vec<Metric>,
    /// Whether to record which validation images each epoch answers rightly.
    pub answers: bool,
    /// The metric that decides which epoch's weights are kept: see [`is_better_epoch`](wellfit_record::is_better_epoch).
    pub best: Metric,
    /// Early stopping and the metric it watches.
    pub early_stopping: Option<(Metric, EarlyStoppingConfig)>,
    /// A Keras-style checkpoint besides `best` and `last`; its path is taken within the run's directory.
    pub checkpoint: Option<CheckpointConfig>,
    /// When to commit `last` besides at the end of each epoch.
    pub checkpoint_every: Option<Every>,
    /// How many checkpoints `last` to keep besides the newest, for the case that it is damaged.
    pub keep: usize,
    /// When a run is resumed: go on although it had ended, as early stopping wanted, and let early stopping count from
    /// 0 again.
    pub go_on_after_stop: bool,
    /// When a run is resumed: record again the epochs that a damaged record lost, as the checkpoint knows them. Off for a
    /// run that will be trained again for them: a record that looks whole would keep it from that.
    pub restore_epochs: bool,
    /// Record what a diagnosis reads besides the curves, in a file of its own. No bit of the training depends on it.
    pub statistics: bool,
    /// When training images are judged as validation images are, for these statistics.
    pub train_eval: TrainEval,
    /// The seed of dropout.
    pub seed: u64,
    /// How batches are cut, and which other processes compute some of the parts.
    pub team: Team,
    /// Put into every weight file.
    pub metadata: BTreeMap<String, String>,
}

impl Default for FitConfig {
    /// One epoch of Adam with its usual rate on the processor; no policy is on, the lowest validation loss is the best.
    fn default() -> Self {
        Self {
            engine: Arc::new(Cpu),
            epochs: 1,
            freeze_epochs: 0,
            unfreeze_every: 0,
            lr: 1e-3,
            rule: Rule::ADAM,
            loss: CrossEntropy::default(),
            clip_norm: None,
            accumulate: 1,
            averaging: None,
            swa: None,
            schedule: None,
            lr_scheduler: None,
            measured: Vec::new(),
            answers: false,
            best: Metric::VAL_LOSS,
            early_stopping: None,
            checkpoint: None,
            checkpoint_every: None,
            keep: 1,
            go_on_after_stop: false,
            restore_epochs: true,
            statistics: false,
            train_eval: TrainEval::Cheap,
            seed: 0,
            team: Team::default(),
            metadata: BTreeMap::new(),
        }
    }
}

/// The result of a finished run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every epoch.
    pub epochs: Vec<EpochRecord>,
    /// Place in `epochs` of the best one by [`FitConfig::best`]; none if every validation loss was NaN.
    pub best: Option<usize>,
    /// Why it ended; [`StopReason::Diverged`] when no epoch had a usable loss.
    pub stop: StopReason,
    /// The same as a sentence.
    pub stop_message: String,
    /// The weights of the best epoch, or the last ones without a best.
    pub network: Network,
    /// Seconds of computing, over all interruptions.
    pub seconds: f64,
}

/// Train `network` on `train`, choose the best epoch by `validation`, and record everything in `run`.
///
/// After each epoch the figures and what the policies say are in the record before the callback is called. The
/// checkpoints `last` and (if it is the best epoch so far) `best` are written while the next steps run: the record and
/// [`Callback::saved`] hear of one when it stands. A failure to write it ends the run after the step under way.
///
/// # Errors
/// On bad data, a full disk, [`TrainError::Diverged`] or [`TrainError::Interrupted`]; the last checkpoints
/// stay as they are.
pub fn fit(
    network: Network,
    data: (&Loader, &Loader),
    config: &FitConfig,
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    ended(config, || go_on(Session::begin(network, config)?, data, run, callback))
}

/// Continue where `checkpoint` was taken (`None`: from the beginning). The result has the same bits as an uninterrupted
/// [`fit`] with the same network, data and configuration.
///
/// Later steps and epochs are first removed from the record: they will be computed again.
///
/// # Errors
/// As [`fit`], and when the checkpoint is none of `fit`'s, or of another network.
pub fn resume(
    network: Network,
    data: (&Loader, &Loader),
    config: &FitConfig,
    checkpoint: Option<&LoadedCheckpoint>,
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    ended(config, || go_back(network, data, config, checkpoint, run, callback))
}

fn go_back(
    network: Network,
    data: (&Loader, &Loader),
    config: &FitConfig,
    checkpoint: Option<&LoadedCheckpoint>,
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    let mut session = match checkpoint {
        Some(found) => Session::restore(network, config, data.0.batches(), found)?,
        None => Session::begin(network, config)?,
    };
    let found = checkpoint.map(|found| &found.checkpoint);
    run.go_back_to(found, LAST, config.keep)?;
    let events = RunDir::open(run.path())?.events()?.rows;
    session.asked = Asked::of(&events);
    if config.restore_epochs {
        restore_epochs(&session.at.epochs, &epochs(&events), run)?;
    }
    run.event(&Event::Resumed {
        epoch: session.epoch() - 1,
        step: session.trainer.optimizer.step,
        checkpoint: found.map_or_else(String::new, wellfit_record::Checkpoint::name),
        threads: wellfit_simd::parallel::threads() as u32,
        time: now(),
    })?;
    if config.go_on_after_stop {
        session.at.stop = None;
        session.at.went_on = Some(session.trainer.optimizer.step);
        session.at.policies.count_anew();
        // From here on, another interruption changes nothing.
        session.commit(run)?;
    }
    go_on(session, data, run, callback)
}

/// Record what a checkpoint knows of the epochs from the first one on that the record lacks: readers take an epoch to replace
/// all that stand before it with its number or a larger one.
fn restore_epochs(
    known: &[EpochRecord],
    told: &[EpochRecord],
    run: &mut RunWriter,
) -> Result<(), TrainError> {
    let whole = known.iter().zip(told).take_while(|(known, told)| known.epoch == told.epoch).count();
    known[whole..].iter().try_for_each(|record| Ok(run.event(&Event::Epoch(*record))?))
}

fn go_on(
    mut session: Session<'_>,
    loaders: (&Loader, &Loader),
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    let sources = |session: &Session<'_>| Sources::new(loaders, &session.trainer.network, session.config);
    let mut data = sources(&session)?;
    if session.config.statistics && !run.has_statistics() {
        run.statistics(&head(&session.trainer.network, loaders))?;
    }
    session.trainer.upload()?;
    session.refuse_on_device()?;
    session.share_state()?;
    while !session.is_over() {
        if session.unfreezing_is_due() {
            session.unfreeze()?;
            data = sources(&session)?;
            session.trainer.upload()?;
            session.share_state()?;
        }
        callback.epoch_start(session.epoch(), session.config.epochs);
        let trained = session.train(&data.train, run, callback);
        let decisions = trained.and_then(|()| session.validate(&data, callback));
        if let Err(TrainError::Interrupted { reason }) = &decisions {
            session.interrupt(reason, run)?;
            tell(run, callback)?;
        }
        let decisions = decisions?;
        if let Some(line) = session.line.take() {
            run.statistics(&Statistics::Epoch(line))?;
        }
        write_epoch(session.config, &decisions, run)?;
        tell(run, callback)?;
        session.end_if_told(run)?;
        session.commit_epoch(decisions.best, decisions.checkpoint.as_ref(), run)?;
        let control = callback.epoch_end(&EpochReport {
            record: &decisions.record,
            best: decisions.best,
            early_stopping: decisions.early_stopping.as_ref(),
            plateau: decisions.plateau.as_ref(),
            checkpoint: decisions.checkpoint.as_ref(),
        });
        if let Control::Stop(reason) = control {
            session.at.stop.get_or_insert(Stop { kind: StopReason::Callback, reason });
        }
    }
    run.settle()?;
    tell(run, callback)?;
    session.finish(run)
}

/// The epoch's figures and what the policies said of them.
pub(crate) fn write_epoch(
    config: &FitConfig,
    decisions: &EpochDecisions,
    run: &mut RunWriter,
) -> Result<(), TrainError> {
    let epoch = decisions.record.epoch;
    run.event(&Event::Epoch(decisions.record))?;
    if let Some(right) = &decisions.answered {
        run.event(&Event::answers(epoch, right))?;
    }
    let counted = decisions.early_stopping.as_ref().filter(|observation| observation.counter > 0);
    if let (Some(observation), Some((_, options))) = (counted, &config.early_stopping) {
        let (counter, patience) = (observation.counter, options.patience);
        run.event(&Event::EarlyStoppingCounter { epoch, counter, patience })?;
    }
    if let Some(step) = decisions.plateau.as_ref().filter(|step| step.lr_after != step.lr_before) {
        let watched = config.lr_scheduler.as_ref().map_or(Metric::VAL_LOSS, |(metric, _)| *metric);
        let reason = match watched {
            Metric::VAL_LOSS => "the validation loss stalled".to_owned(),
            other => format!("{} stalled", other.name()),
        };
        run.event(&Event::LrChange { epoch, from: step.lr_before, to: step.lr_after, reason })?;
    }
    Ok(())
}
