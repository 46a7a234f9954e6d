//! A run that begins with what another one has trained.
//!
//! As long as nothing that two runs do differs, they are the same to the bit. What a run does with its epochs, such as early
//! stopping, follows from their figures alone, so it is found out afterwards.

use crate::checkpoint::{AVERAGE, BEST, BEST_MODEL, FROZEN, LAST, MODEL, POSITION, TRAINED};
use crate::error::TrainError;
use crate::fit::{FitConfig, write_epoch};
use crate::policies::{EpochDecisions, Policies, Says};
use crate::position::{Position, Stop};
use crate::unfreezing::stages_after;
use wellfit_policy::PolicyError;
use wellfit_record::{
    Blob, CheckpointInfo, Commit, EpochRecord, Event, LoadedCheckpoint, Phase, RunDir, RunWriter, Statistics,
    StopReason, answers, is_better_epoch,
};

/// What a run of that configuration does with recorded epochs, one after the other.
struct Course<'a> {
    config: &'a FitConfig,
    /// The stages of the network's backbone.
    stages: usize,
    policies: Policies,
    /// The rate, unless a schedule gives it.
    lr: f64,
    stop: Option<Stop>,
}

impl<'a> Course<'a> {
    fn new(config: &'a FitConfig, stages: usize) -> Result<Self, PolicyError> {
        Ok(Self { config, stages, policies: Policies::new(config)?, lr: config.lr, stop: None })
    }

    /// Goes on by an epoch; whether it is the best so far is up to the caller.
    fn observe(&mut self, record: &EpochRecord, best: bool) -> Result<EpochDecisions, PolicyError> {
        let (config, done) = (self.config, record.epoch - 1);
        let trains = stages_after(done, (config.freeze_epochs, config.unfreeze_every), self.stages);
        let averaged = config.swa.is_some_and(|swa| record.epoch >= swa.start);
        let says = Says { stopping: config.freeze_epochs == 0 || trains >= self.stages, plateau: !averaged };
        let decisions = self.policies.observe(config, record, best, says)?;
        self.lr = decisions.plateau.as_ref().map_or(self.lr, |step| step.lr_after);
        self.stop = decisions.stop();
        Ok(decisions)
    }
}

/// Where two runs part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parting {
    /// The last epoch that they have in common.
    pub epoch: u32,
    /// Whether the other run is over then.
    pub stops: bool,
}

/// The first of these epochs after which a run of the configuration `other` stops, or goes on at another rate than the run
/// `own` that trained them; None if there is none. A schedule's rates are not looked at. `stages` are those of the network's
/// backbone.
///
/// # Errors
/// If a policy cannot be made.
pub fn parts_after(
    epochs: &[EpochRecord],
    (own, other): (&FitConfig, &FitConfig),
    stages: usize,
) -> Result<Option<Parting>, TrainError> {
    let (mut own, mut other) = (Course::new(own, stages)?, Course::new(other, stages)?);
    for record in epochs {
        own.observe(record, false)?;
        other.observe(record, false)?;
        let stops = other.stop.is_some();
        if stops || own.lr.to_bits() != other.lr.to_bits() {
            return Ok(Some(Parting { epoch: record.epoch, stops }));
        }
    }
    Ok(None)
}

/// Where a run begins that does not train its first epochs itself.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The run that trained them.
    pub run: &'a RunDir,
    /// What it is called in the new one's record.
    pub name: &'a str,
    /// Its checkpoint behind them, taken at the end of an epoch.
    pub checkpoint: &'a LoadedCheckpoint,
    /// Its configuration, if what the new run does otherwise begins there only: policies that are the same then keep what they
    /// have seen, others begin anew.
    pub late: Option<&'a FitConfig>,
}

/// Fill the new `run` with the epochs up to the origin's checkpoint, as a run of `config` would have made them.
/// [Resumed](crate::fit::resume), it has the bits of one that trained them itself, if everything that acts before is the same
/// in both; which epoch is best, too. The run's own policies may be others. `stages` are those of the network's backbone.
///
/// # Errors
/// If the checkpoint is none of an epoch's end, if the record lacks some of its epochs, if a run of `config` would have ended
/// before, or if the new run cannot be written.
pub fn branch(
    Origin { run: from, name, checkpoint, late }: Origin<'_>,
    (config, stages): (&FitConfig, usize),
    run: &mut RunWriter,
) -> Result<(), TrainError> {
    let refused = |problem: String| {
        let path = checkpoint.checkpoint.path.clone();
        TrainError::NotResumable { path, problem: format!("{problem}, so no other run can begin there") }
    };
    let position = checkpoint.files.get(POSITION).ok_or_else(|| refused(format!("it has no {POSITION}")))?;
    let mut at: Position =
        serde_json::from_slice(position).map_err(|error| refused(format!("{POSITION}: {error}")))?;
    let CheckpointInfo { epoch, step, .. } = checkpoint.checkpoint.manifest.info;
    if at.pass.batches > 0 || at.epochs.len() != epoch as usize {
        return Err(refused("it was not taken at the end of an epoch".to_owned()));
    }
    run.event(&Event::Branched { from: name.to_owned(), epoch, step })?;
    write_lines(from, (epoch, step), run)?;
    let before = late.unwrap_or(config);
    let mut course = Course::new(before, stages)?;
    let recorded = answers(&from.events()?.rows, epoch);
    at.best = None;
    for (place, (record, answered)) in at.epochs.iter().zip(recorded).enumerate() {
        if course.stop.is_some() {
            return Err(refused(format!("the run would have ended before epoch {}", record.epoch)));
        }
        if config.answers && answered.is_none() {
            return Err(refused(format!("the answers of epoch {} are missing", record.epoch)));
        }
        let best = is_better_epoch(config.best, record, at.best.map(|place| &at.epochs[place]));
        if best {
            at.best = Some(place);
        }
        let decisions = course.observe(record, best)?;
        write_epoch(before, &EpochDecisions { answered, ..decisions }, run)?;
    }
    if before.lr.to_bits() != config.lr.to_bits() {
        course.lr = config.lr;
    }
    (at.lr, at.stop, at.policies) = (course.lr, course.stop, course.policies.changed(before, config)?);
    commit(&at, checkpoint, config, run)
}

/// The steps and what was recorded for a diagnosis, as far as they are done.
fn write_lines(from: &RunDir, (epoch, step): (u32, u64), run: &mut RunWriter) -> Result<(), TrainError> {
    for row in from.steps()?.rows.iter().filter(|row| row.step <= step) {
        run.step(row)?;
    }
    let recorded = from.statistics()?.map_or_else(Vec::new, |log| log.rows);
    let done = |row: &&Statistics| match row {
        Statistics::Run(_) => true,
        Statistics::Step(row) => row.step <= step,
        Statistics::Epoch(row) => row.epoch <= epoch,
        Statistics::Unknown => false,
    };
    Ok(recorded.iter().filter(done).try_for_each(|row| run.statistics(row))?)
}

/// The checkpoints of the new run: the best weights, and where it stands.
fn commit(
    at: &Position,
    checkpoint: &LoadedCheckpoint,
    config: &FitConfig,
    run: &mut RunWriter,
) -> Result<(), TrainError> {
    let files = |names: &[&str]| -> Vec<(String, Blob)> {
        let found = names.iter().filter_map(|name| Some((*name, checkpoint.files.get(*name)?)));
        found.map(|(name, bytes)| (name.to_owned(), Blob::new(bytes.clone()))).collect()
    };
    let model = if checkpoint.files.contains_key(FROZEN) { TRAINED } else { MODEL };
    if let Some(best) = at.best.map(|place| &at.epochs[place]) {
        let judged = if checkpoint.files.contains_key(AVERAGE) { AVERAGE } else { model };
        let source = if at.is_best() { judged } else { BEST_MODEL };
        let weights = files(&[source]).into_iter().map(|(_, blob)| (model.to_owned(), blob));
        let files = weights.chain(files(&[FROZEN])).collect();
        run.commit(Commit { name: BEST.to_owned(), keep: 0, files, info: info(best) })?;
    }
    let position = serde_json::to_vec(at).map_err(|error| TrainError::Position(error.to_string()))?;
    let mut all = files(&checkpoint.files.keys().map(String::as_str).collect::<Vec<_>>());
    for (_, blob) in all.iter_mut().filter(|(name, _)| name == POSITION) {
        *blob = Blob::new(position.clone());
    }
    let info = checkpoint.checkpoint.manifest.info.clone();
    run.commit(Commit { name: LAST.to_owned(), keep: config.keep, files: all, info })?;
    Ok(())
}

/// Where an epoch ended.
fn info(record: &EpochRecord) -> CheckpointInfo {
    let validated = record.metrics.iter().filter(|(metric, _)| metric.phase == Phase::Validate);
    let metrics = validated.map(|(metric, value)| (metric.name().to_owned(), value)).collect();
    CheckpointInfo { epoch: record.epoch, step: record.step, metrics }
}

impl EpochDecisions {
    /// Why the run is over, if early stopping says so.
    pub(crate) fn stop(&self) -> Option<Stop> {
        let stopped = self.early_stopping.as_ref()?.stop.as_ref()?;
        Some(Stop { kind: StopReason::EarlyStopping, reason: stopped.to_string() })
    }
}
