//! An improvement from its plan to its final run.
//!
//! What is on the disk is what was decided: a round whose `trial.toml` is there is made as planned, whatever the clock says now.
//! So an improvement that is killed goes on to the same decisions and the same bits.

mod looks;
mod rounds;

pub use looks::Looked;

use super::account::{Account, Trained};
use super::advised::{Advised, advised_rate};
use super::budget::Budget;
use super::look::{FinalLook, look};
use super::place::place;
use super::result::Improved;
use super::round::{Round, RoundPlan};
use super::step::{Step, Stop};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::member::{State, state};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::{DataKind, Options};
use crate::training::Destination;
use crate::trial::{Data, noted_look, settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wellfit_record::{ImprovementDir, Metric, TrialDir};

/// The file of the result.
const RESULT: &str = "improve.json";
/// The file of the time that was spent, and of the decision that ended the rounds.
const SESSION: &str = "session.json";
/// How often a rate is lowered because the loss became NaN.
const MOST_REPAIRS: usize = 8;

/// What an improvement is asked for.
#[derive(Debug, Clone)]
pub struct Improve {
    /// The settings to begin with.
    pub settings: Options,
    /// What it may cost.
    pub budget: Budget,
    /// The metric, such as `val_accuracy`.
    pub metric: String,
    /// The least difference that matters.
    pub delta: f64,
    /// The chance to adopt any technique that does nothing, over all rounds.
    pub alpha: f64,
}

/// A rate that was lowered because the loss of a run became NaN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The run.
    pub run: PathBuf,
    /// The rate that was taken then.
    pub lr: String,
}

/// Improve settings by experiment: a directory with the plan `improve.toml`, the run `first` of these settings, `looks/` and a trial
/// `round-N` for the best of what its findings advise and of what often helps, and so on with what was proven to help, until the
/// budget or the candidates end; then
/// the run `final`, one look at the test part, and `improve.json`. With `resume`, an improvement of the same plan that is there
/// goes on (the one in `out`, or else the newest in `runs/`), to the same decisions and bits.
///
/// # Errors
/// As [`prove`](crate::prove).
pub fn improve(
    ask: &Improve,
    source: &DataSource,
    out: &Destination,
    resume: bool,
    observer: &mut dyn Observer,
) -> Result<Improved, RunError> {
    let clock = Instant::now();
    let data = Data::new(source);
    let looked = data.prepare(&ask.settings, observer)?;
    let kind = data.kind(&looked);
    ask.check(kind)?;
    let (plan, hint) = (ask.plan(&looked)?, format!("{}-improve", looked.parts.name));
    drop(looked);
    let dir = place(&plan, &hint, (out.dir.as_deref(), resume), observer)?;
    let mut session = Session::new(ask, (source, data, kind), (dir, clock), &out.command)?;
    session.establish(observer)?;
    let stop = loop {
        if let Some(stop) = session.round(observer)? {
            break stop;
        }
    };
    session.finish(stop, observer)
}

impl Improve {
    /// Refuse what no round could be made of, before anything is trained.
    fn check(&self, kind: DataKind) -> Result<(), RunError> {
        let plan = RoundPlan {
            techniques: vec!["epochs=1".to_owned()],
            pairs: 12,
            alpha: self.alpha,
            first_seed: 0,
        };
        plan.ask(self.settings.clone(), &self.metric, self.delta).design(kind).map(drop)
    }

    /// The text of its plan.
    fn plan(&self, experiment: &Experiment) -> Result<String, RunError> {
        let mut plan = toml::Table::new();
        let mut put = |key: &str, value: toml::Value| drop(plan.insert(key.to_owned(), value));
        put("data", experiment.absolute_data().into());
        put("budget", self.budget.to_string().into());
        put("metric", self.metric.clone().into());
        put("delta", self.delta.into());
        put("alpha", self.alpha.into());
        let settings = settings(&self.settings)?.into_iter().map(|(name, value)| (name, value.into()));
        put("settings", toml::Value::Table(settings.collect()));
        Ok(format!("# The plan of an improvement, written before its first run.\n{plan}"))
    }
}

struct Session<'a> {
    ask: &'a Improve,
    source: &'a DataSource,
    data: Data<'a>,
    dir: ImprovementDir,
    command: &'a str,
    clock: Instant,
    /// Seconds of earlier processes.
    before: f64,
    /// The decision of an earlier process to make no further round.
    stopped: Option<Stop>,
    kind: DataKind,
    metric: Metric,
    /// As they are now.
    settings: Options,
    /// Of the first run; the next ones are the rounds'.
    seed: u64,
    next_seed: u64,
    /// Runs that are no part of a trial.
    members: Vec<PathBuf>,
    /// Those of looks.
    looks: Vec<PathBuf>,
    /// The runs of the settings as they are now.
    runs: Vec<PathBuf>,
    /// Their run with the first run's seed, which looks are compared with.
    compared: PathBuf,
    repairs: Vec<Repair>,
    rounds: Vec<Round>,
    tested: BTreeSet<String>,
    advised: Advised,
}

impl<'a> Session<'a> {
    fn new(
        ask: &'a Improve,
        (source, data, kind): (&'a DataSource, Data<'a>, DataKind),
        (dir, clock): (ImprovementDir, Instant),
        command: &'a str,
    ) -> Result<Self, RunError> {
        let noted: Value =
            dir.read_file(SESSION)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let seed = ask.settings.seed.unwrap_or(0);
        let mut settings = ask.settings.clone();
        // As in a trial: the weights that are kept are those that the metric chose.
        if ask.metric != Metric::VAL_ACCURACY.name() {
            settings.best.get_or_insert_with(|| ask.metric.clone());
        }
        Ok(Self {
            ask,
            source,
            data,
            dir,
            command,
            clock,
            before: noted["seconds"].as_f64().unwrap_or(0.0),
            stopped: noted["stop"].as_str().and_then(Stop::named),
            kind,
            metric: Metric::named(&ask.metric).unwrap_or(Metric::VAL_ACCURACY),
            settings,
            seed,
            next_seed: seed + 1,
            members: Vec::new(),
            looks: Vec::new(),
            runs: Vec::new(),
            compared: PathBuf::new(),
            repairs: Vec::new(),
            rounds: Vec::new(),
            tested: BTreeSet::new(),
            advised: Advised::default(),
        })
    }

    /// Keep the time that was spent, and the decision to make no further round.
    fn note(&self) -> Result<(), RunError> {
        let stop = self.stopped.map(Stop::name);
        let noted = json!({ "seconds": self.seconds(), "stop": stop });
        Ok(self.dir.write_file(SESSION, format!("{noted}\n").as_bytes())?)
    }

    fn seconds(&self) -> f64 {
        self.before + self.clock.elapsed().as_secs_f64()
    }

    fn account(&self) -> Result<Account, RunError> {
        let trials = self.rounds.iter().filter_map(|round| TrialDir::find(&round.trial));
        let trials: Vec<PathBuf> = trials.flat_map(|trial| trial.runs()).collect();
        let all =
            Trained::of_all(self.members.iter().chain(&self.looks).chain(&trials).map(PathBuf::as_path))?;
        let now = Trained::of_all(self.runs.iter().map(PathBuf::as_path))?;
        Ok(Account { budget: self.ask.budget, all, now, clock: self.seconds() })
    }

    /// A run of the settings as they are, in a directory of that name.
    fn member(&mut self, name: &str, observer: &mut dyn Observer) -> Result<PathBuf, RunError> {
        let path = self.dir.path().join(name);
        self.members.push(path.clone());
        self.train(&path, self.settings.clone(), observer)?;
        self.note()?;
        Ok(path)
    }

    /// A run of some settings with the first run's seed, which may be there already.
    fn train(&self, path: &Path, settings: Options, observer: &mut dyn Observer) -> Result<(), RunError> {
        let experiment = self.data.prepare(&Options { seed: Some(self.seed), ..settings }, observer)?;
        match state(path, &experiment)? {
            State::Finished => {}
            State::Unfinished(run) => drop(run.resume(experiment, observer)?),
            State::Absent => {
                let dir = Some(path.to_owned());
                let out = Destination { dir, force: true, command: self.command.to_owned() };
                drop(experiment.train(&out, observer)?);
            }
        }
        Ok(())
    }

    /// A run of the settings as they are that has a network; while it has none, the rate is lowered as its finding advises.
    fn establish(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        loop {
            let name = match self.members.len() {
                0 => "first".to_owned(),
                number => format!("repaired-{number}"),
            };
            observer.notice(&Notice::Improving(Step::First));
            match self.member(&name, observer) {
                Ok(run) => {
                    self.compared.clone_from(&run);
                    self.runs = vec![run];
                    return Ok(());
                }
                Err(RunError::Diverged(problem)) => {
                    let run = self.dir.path().join(name);
                    self.repair(run, problem, observer)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn repair(&mut self, run: PathBuf, problem: String, observer: &mut dyn Observer) -> Result<(), RunError> {
        let Some(lr) = advised_rate(&run).filter(|_| self.repairs.len() < MOST_REPAIRS) else {
            return Err(RunError::Diverged(problem));
        };
        self.settings.set("lr", OsStr::new(&lr))?;
        observer.notice(&Notice::Improving(Step::Repair { lr: lr.clone() }));
        self.repairs.push(Repair { run, lr });
        Ok(())
    }

    fn finish(mut self, stop: Stop, observer: &mut dyn Observer) -> Result<Improved, RunError> {
        observer.notice(&Notice::Improving(Step::Ends(stop)));
        let account = self.account()?;
        let spent = (self.ask.budget.to_string(), account.words(account.spent()));
        let changed = self.rounds.iter().any(|round| round.adopted.is_some());
        let last = if changed { self.member("final", observer)? } else { self.runs[0].clone() };
        let (test, looks) = self.look(&last, observer)?;
        let improved = Improved {
            dir: self.dir.path().to_owned(),
            metric: self.ask.metric.clone(),
            first: self.members[0].clone(),
            repairs: self.repairs,
            rounds: self.rounds,
            left: self.advised,
            stop,
            spent,
            settings: settings(&self.settings)?,
            last,
            test,
            looks,
        };
        let text = format!("{:#}\n", improved.to_json());
        self.dir.write_file(RESULT, text.as_bytes())?;
        if self.settings.no_report != Some(true) {
            improved.pages()?;
        }
        Ok(improved)
    }

    /// Look at the test part, once: what was seen is seen.
    fn look(
        &self,
        last: &PathBuf,
        observer: &mut dyn Observer,
    ) -> Result<(Option<FinalLook>, usize), RunError> {
        let seen = self.dir.read_file(RESULT)?.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if let Some(seen) = seen {
            let test = serde_json::from_value(seen["test"].clone()).unwrap_or_default();
            return Ok((test, seen["test_looks"].as_u64().unwrap_or(0) as usize));
        }
        let experiment = self.data.prepare(&self.settings, observer)?;
        let Some(test) = &experiment.parts.test else { return Ok((None, 0)) };
        let number = noted_look(
            test.len(),
            |name| self.dir.read_file(name),
            |name, text| self.dir.write_file(name, text),
        )?;
        // A first run without a network has nothing to show.
        let first = Some(&self.members[0])
            .filter(|first| *first != last && self.repairs.first().is_none_or(|one| one.run != **first));
        let paths = (first.map(PathBuf::as_path), last.as_path());
        let found = look(paths, test, (number, experiment.spec.batch_size), observer)?;
        Ok((Some(found), number))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rounds_together_spend_alpha() {
        let spent: f64 = (1..=10_000).map(|number| 1.0 / f64::from(number * (number + 1))).sum();
        assert!((0.999..1.0).contains(&spent), "{spent}");
    }
}
