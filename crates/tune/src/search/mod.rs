//! A worker of a study: takes a trial that waits or begins a new one, trains it, reports, until there are enough.
//!
//! Every trial is an ordinary run in the study's directory. A worker that dies leaves its trial under way; another one finds that
//! out, fails the trial and lets it wait once more. It is then taken like any other, and resumes the run that is there.

mod alive;
mod made;
mod plan;
mod training;
mod watch;

pub use plan::{Plan, PrunerName};
pub use watch::Watcher;

use crate::error::TuneError;
use crate::storage::{Address, Change, Storage, open};
use crate::trial::{State, Trial};
use alive::Alive;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use training::{Ended, Training};
use wellfit_run::{DataSource, RunError};

/// How long to wait before looking again at what other workers do.
const PAUSE: Duration = Duration::from_millis(300);
/// After so many trials in a row that cannot be trained, it is the space that is wrong.
const MOST_FAILURES: usize = 5;
/// Which worker a trial is with.
const WORKER: &str = "wellfit:worker";
/// Why a trial came to nothing.
const ERROR: &str = "wellfit:error";

/// A study that several share.
type Shared = Arc<Mutex<Box<dyn Storage>>>;

/// Where a study is.
#[derive(Debug, Clone)]
pub struct Place {
    /// What its trials are written to.
    pub storage: Address,
    /// Its name there.
    pub study: String,
    /// The directory of its runs.
    pub dir: PathBuf,
    /// The command, for the runs.
    pub command: String,
}

impl Place {
    /// Where the run of a trial is: that of the trial that it does again.
    #[must_use]
    pub fn run(&self, trial: &Trial) -> PathBuf {
        self.dir.join(format!("trial-{}", trial.origin()))
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There are as many trials as were asked for.
    Done,
    /// The time is up; what was under way waits to be gone on with.
    Budget,
    /// The watcher said so; as above.
    Interrupted(String),
}

/// A worker.
pub struct Worker<'a> {
    plan: &'a Plan,
    source: &'a DataSource,
    place: &'a Place,
    storage: Shared,
    alive: Alive,
    deadline: Option<Instant>,
}

fn locked(storage: &Shared) -> MutexGuard<'_, Box<dyn Storage>> {
    storage.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Worker<'a> {
    /// Open the study, or make it.
    ///
    /// # Errors
    /// If that cannot be done, or it was begun with another plan.
    pub fn new(
        plan: &'a Plan,
        source: &'a DataSource,
        place: &'a Place,
        deadline: Option<Instant>,
    ) -> Result<Self, TuneError> {
        let failed = |what: &Path, error: &std::io::Error| {
            TuneError::Output(format!("cannot make {}: {error}", wellfit_base::Shown::shown(what)))
        };
        std::fs::create_dir_all(&place.dir).map_err(|error| failed(&place.dir, &error))?;
        let mut storage = open(&place.storage, &place.study, plan.direction(), true)?;
        plan.agree(&mut *storage, source)?;
        let storage = Arc::new(Mutex::new(storage));
        let alive = Alive::new(&place.dir, storage.clone()).map_err(|error| failed(&place.dir, &error))?;
        Ok(Self { plan, source, place, storage, alive, deadline })
    }

    /// Work until there are enough trials.
    ///
    /// # Errors
    /// If the study or a run cannot be written, the data cannot be used, or no settings of the space can be trained.
    pub fn run(&mut self, watcher: &mut dyn Watcher) -> Result<End, TuneError> {
        let most = self.plan.trials.min(self.grid_size()?);
        let mut failures = 0;
        loop {
            if let Some(reason) = watcher.interrupted() {
                return Ok(End::Interrupted(reason));
            }
            if self.is_over() {
                return Ok(End::Budget);
            }
            self.fail_the_abandoned()?;
            let Some(id) = self.next(most)? else {
                if !self.anyone_is_at_work()? {
                    return Ok(End::Done);
                }
                std::thread::sleep(PAUSE);
                continue;
            };
            match self.make(id, watcher)? {
                Turn::Result => failures = 0,
                Turn::Failure(error) => {
                    failures += 1;
                    if failures == MOST_FAILURES {
                        return Err(error.into());
                    }
                }
                Turn::End(end) => return Ok(end),
            }
        }
    }

    /// Whether large values are good.
    #[must_use]
    pub fn direction(&self) -> crate::trial::Direction {
        self.plan.direction()
    }

    /// The trials there are.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn trials(&self) -> Result<Vec<Trial>, TuneError> {
        Ok(locked(&self.storage).trials()?.to_vec())
    }

    fn grid_size(&self) -> Result<usize, TuneError> {
        self.plan
            .sampler
            .trials(&self.plan.space)
            .map(|size| size.unwrap_or(usize::MAX))
            .map_err(TuneError::Plan)
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// A trial that waits, or a new one.
    fn next(&self, most: usize) -> Result<Option<i64>, TuneError> {
        let mut storage = locked(&self.storage);
        let note = [Change::System(WORKER.to_owned(), Value::from(self.alive.name()))];
        let waiting: Vec<i64> = storage
            .trials()?
            .iter()
            .filter(|trial| trial.state == State::Waiting)
            .map(|trial| trial.id)
            .collect();
        for id in waiting {
            if storage.take(id, &note)? {
                return Ok(Some(id));
            }
        }
        Ok(storage.begin(most, &note)?)
    }

    fn anyone_is_at_work(&self) -> Result<bool, TuneError> {
        let mut storage = locked(&self.storage);
        let open = |trial: &Trial| {
            !trial.state.is_finished() && trial.system.contains_key(WORKER) || trial.state == State::Waiting
        };
        Ok(storage.trials()?.iter().any(open))
    }

    /// Fail the trials whose workers are gone, and let them wait again, as often as that may be.
    fn fail_the_abandoned(&self) -> Result<(), TuneError> {
        let mut storage = locked(&self.storage);
        let mut gone = storage.silent(self.plan.grace)?;
        let trials = storage.trials()?;
        let dead = |trial: &&Trial| {
            let worker = trial.system.get(WORKER).and_then(Value::as_str);
            trial.state == State::Running && worker.is_some_and(|worker| self.alive.is_dead(worker))
        };
        gone.extend(trials.iter().filter(dead).map(|trial| trial.id));
        let gone: Vec<Trial> = trials.iter().filter(|trial| gone.contains(&trial.id)).cloned().collect();
        for trial in gone {
            let again = Some(trial.again()).filter(|again| again.retries() <= self.plan.retries);
            storage.finish(trial.id, State::Fail, None, again.as_ref())?;
        }
        Ok(())
    }

    /// Train a trial that this worker has, and say what came of it.
    fn make(&self, id: i64, watcher: &mut dyn Watcher) -> Result<Turn, TuneError> {
        let Some(trial) = self.choose(id)? else {
            // The grid has no more.
            locked(&self.storage).finish(id, State::Fail, None, None)?;
            return Ok(Turn::Result);
        };
        watcher.begun(&trial);
        let beating = self.alive.beat(id);
        let training = Training {
            plan: self.plan,
            source: self.source,
            place: self.place,
            storage: &self.storage,
            deadline: self.deadline,
        };
        let ended = training.run(&trial, watcher);
        drop(beating);
        let mut storage = locked(&self.storage);
        let made = match ended? {
            Ended::Value(state, value) => {
                storage.finish(id, state, value, None)?;
                Turn::Result
            }
            // Another worker has it by now.
            Ended::Lost => Turn::Result,
            Ended::Failed(error) => {
                storage.change(id, &[Change::User(ERROR.to_owned(), Value::from(error.to_string()))])?;
                storage.finish(id, State::Fail, None, None)?;
                Turn::Failure(error)
            }
            Ended::Aborted(error) => {
                storage.finish(id, State::Fail, None, Some(&trial.put_back()))?;
                return Err(error.into());
            }
            Ended::Stopped(end) => {
                storage.finish(id, State::Fail, None, Some(&trial.put_back()))?;
                return Ok(Turn::End(end));
            }
        };
        let trials = storage.trials()?;
        if let Some(trial) = trials.iter().find(|trial| trial.id == id) {
            watcher.ended(trial, best(trials, self.plan.direction()));
        }
        Ok(made)
    }

    /// The values of a trial: those it has, if it was tried before, or else new ones.
    fn choose(&self, id: i64) -> Result<Option<Trial>, TuneError> {
        let mut storage = locked(&self.storage);
        let trials = storage.trials()?;
        let Some(trial) = trials.iter().find(|trial| trial.id == id) else {
            return Err(TuneError::Output(format!("trial {id} is not in the study any more")));
        };
        if !trial.parameters.is_empty() {
            return Ok(Some(trial.clone()));
        }
        let number = trial.number;
        let Some(chosen) = self.plan.choose(trials, trial) else { return Ok(None) };
        storage.change(id, &chosen)?;
        let made = storage.trials()?.iter().find(|trial| trial.number == number).cloned();
        Ok(made)
    }
}

/// What came of a trial.
enum Turn {
    Result,
    Failure(RunError),
    End(End),
}

/// The best trial of those that were trained to their end.
#[must_use]
pub fn best(trials: &[Trial], direction: crate::trial::Direction) -> Option<&Trial> {
    let cost = |trial: &Trial| trial.value.map(|value| direction.cost(value)).filter(|cost| !cost.is_nan());
    let complete = trials.iter().filter(|trial| trial.state == State::Complete);
    let costs = complete.filter_map(|trial| Some((cost(trial)?, trial)));
    costs.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, trial)| trial)
}
