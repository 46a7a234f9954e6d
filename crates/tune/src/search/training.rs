//! One trial, trained: a new run, or the one that a dead worker left.

use super::made::Made;
use super::{End, Place, Plan, Shared, Watcher, locked};
use crate::pruner::{Field, Pruner};
use crate::storage::{Change, StorageError};
use crate::trial::{State, Trial};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use wellfit_data::Progress;
use wellfit_record::{Checkpoint, RunDir};
use wellfit_run::{
    Changes, DataSource, Destination, Experiment, Notice, Observer, Options, RunError, RunSpec, resume,
};
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};

/// How long to wait before looking again whether a run is still being written.
const PAUSE: Duration = Duration::from_millis(200);

/// What a trial is trained with.
pub struct Training<'a> {
    pub plan: &'a Plan,
    pub source: &'a DataSource,
    pub place: &'a Place,
    pub storage: &'a Shared,
    pub deadline: Option<Instant>,
}

/// How the training of a trial ended.
pub enum Ended {
    /// With a result.
    Value(State, Option<f64>),
    /// These settings cannot be trained.
    Failed(RunError),
    /// None can, for the data or the disk are not as they should be.
    Aborted(RunError),
    /// Before its end: it can be gone on with.
    Stopped(End),
    /// Others took this worker for dead, and the trial is theirs.
    Lost,
}

/// Why training was to end.
#[derive(Debug)]
enum Why {
    Lost,
    Budget,
    Broken(StorageError),
}

impl Training<'_> {
    /// Train.
    pub fn run(&self, trial: &Trial, watcher: &mut dyn Watcher) -> Result<Ended, StorageError> {
        let dir = self.place.run(trial);
        let mut reporting =
            Reporting { training: self, id: trial.id, pruner: Pruner::None, epochs: 0, watcher, why: None };
        let trained = match self.plan.options(trial) {
            Ok(options) => reporting.train(&options, &dir),
            Err(error) => return Ok(Ended::Failed(error)),
        };
        match (reporting.why.take(), trained) {
            (Some(Why::Broken(error)), _) => Err(error),
            (Some(Why::Lost), _) => Ok(Ended::Lost),
            (Some(Why::Budget), Err(RunError::Interrupted { .. })) => Ok(Ended::Stopped(End::Budget)),
            (_, Err(RunError::Interrupted { reason, .. })) => Ok(Ended::Stopped(End::Interrupted(reason))),
            // Samplers are to learn that these settings lead nowhere.
            (_, Err(RunError::Diverged(_))) => Ok(Ended::Value(State::Pruned, None)),
            (_, Err(error @ (RunError::Setting { .. } | RunError::Unusable(_) | RunError::Model(_)))) => {
                Ok(Ended::Failed(error))
            }
            (_, Err(error)) => Ok(Ended::Aborted(error)),
            (_, Ok(())) => match Made::of(&dir, self.plan.metric) {
                Ok(made) => {
                    let (state, value) = made.result(self.plan.direction());
                    Ok(Ended::Value(state, value))
                }
                Err(error) => Ok(Ended::Aborted(error)),
            },
        }
    }
}

/// Passes a run's calls on, reports each epoch to the study, and ends a run that is not worth going on with.
struct Reporting<'a, 'w> {
    training: &'a Training<'a>,
    id: i64,
    pruner: Pruner,
    epochs: u32,
    watcher: &'w mut dyn Watcher,
    why: Option<Why>,
}

impl Reporting<'_, '_> {
    fn train(&mut self, options: &Options, dir: &Path) -> Result<(), RunError> {
        let place = self.training.place;
        if RunDir::open(dir).is_err() {
            let experiment = Experiment::prepare(options, self.training.source, self)?;
            let out = Destination { dir: Some(dir.to_owned()), force: false, command: place.command.clone() };
            return experiment.train(&out, self).map(drop);
        }
        // A worker that was taken for dead may still write its last words.
        while RunDir::open(dir).is_ok_and(|run| run.is_running()) {
            if let Some(reason) = self.interrupted() {
                return Err(RunError::Interrupted { reason, run: dir.to_owned() });
            }
            std::thread::sleep(PAUSE);
        }
        for (epoch, value) in Made::of(dir, self.training.plan.metric)?.reports {
            self.note(&[Change::Report(epoch, value)]);
        }
        let source = self.training.source;
        let changes =
            Changes { data: Some(source.data.clone()), dir: source.dir.clone(), ..Changes::default() };
        resume(dir, &changes, self).map(drop)
    }

    /// Write to the study; what is wrong there ends the run.
    fn note(&mut self, changes: &[Change]) {
        match locked(self.training.storage).change(self.id, changes) {
            Ok(true) => {}
            Ok(false) => self.why = Some(Why::Lost),
            Err(error) => self.why = Some(Why::Broken(error)),
        }
    }

    /// Whether the trial is to end, by the study as it is now.
    fn is_hopeless(&mut self) -> Result<bool, StorageError> {
        let plan = self.training.plan;
        let mut storage = locked(self.training.storage);
        let study = storage.name().to_owned();
        let trials = storage.trials()?;
        let Some(own) = trials.iter().find(|trial| trial.id == self.id) else { return Ok(false) };
        let field = Field { study: &study, direction: plan.direction(), trials };
        let judgement = self.pruner.judge(&field, own);
        let notes: Vec<Change> =
            judgement.notes.into_iter().map(|(key, value)| Change::System(key, Value::from(value))).collect();
        if !notes.is_empty() {
            storage.change(self.id, &notes)?;
        }
        Ok(judgement.prune)
    }
}

impl Callback for Reporting<'_, '_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        (self.pruner, self.epochs) = (self.training.plan.pruner.of(epochs), epochs);
        self.watcher.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.watcher.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        if self.why.is_some() {
            return Some("the study".to_owned());
        }
        if self.training.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.why = Some(Why::Budget);
            return Some("the end of the time".to_owned());
        }
        self.watcher.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.watcher.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        let control = self.watcher.epoch_end(report);
        if let Some(value) = self.training.plan.metric.of(report.record) {
            self.note(&[Change::Report(i64::from(report.record.epoch), value)]);
        }
        if self.why.is_some() {
            return control;
        }
        match self.is_hopeless() {
            // After its last epoch there is nothing left to save.
            Ok(true) if report.record.epoch < self.epochs => {
                Control::Stop("pruned: other trials of the study do better".to_owned())
            }
            Ok(_) => control,
            Err(error) => {
                self.why = Some(Why::Broken(error));
                control
            }
        }
    }
}

impl Observer for Reporting<'_, '_> {
    fn notice(&mut self, notice: &Notice) {
        self.watcher.notice(notice);
    }

    fn opening(&mut self, progress: &Progress) {
        self.watcher.opening(progress);
    }

    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        self.watcher.ready(spec, run)
    }
}
