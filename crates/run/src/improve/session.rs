//! An improvement from its plan to its final run.
//!
//! What is on the disk is what was decided: a round whose `trial.toml` is there is made as planned, whatever the clock says now.
//! So an improvement that is killed goes on to the same decisions and the same bits.

use super::account::{Account, Trained};
use super::advised::{Advised, Treatment, advised, advised_rate};
use super::budget::Budget;
use super::look::{FinalLook, look};
use super::place::place;
use super::result::Improved;
use super::round::{Round, RoundPlan, treated_runs, winner, without_network};
use super::step::{Step, Stop};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::member::{State, state};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::{DataKind, Options};
use crate::training::Destination;
use crate::trial::{Ask, BASELINE, Data, noted_look, plan_of, prove, settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Instant;
use wellfit_record::{ImprovementDir, Metric, RunDir, TrialDir};

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

/// Improve settings by experiment: a directory with the plan `improve.toml`, the run `first` of these settings, a trial
/// `round-N` for what its findings advise, and so on with what was proven to help, until the budget or the findings end; then
/// the run `final`, one look at the test part, and `improve.json`. With `resume`, an improvement of the same plan that is there
/// goes on (the one in `out`, or else the newest in `runs/`), to the same decisions and bits.
///
/// # Errors
/// As [`prove`].
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
    ask.check(data.kind(&looked))?;
    let (plan, hint) = (ask.plan(&looked)?, format!("{}-improve", looked.parts.name));
    drop(looked);
    let dir = place(&plan, &hint, (out.dir.as_deref(), resume), observer)?;
    let mut session = Session::new(ask, (source, data), (dir, clock), &out.command)?;
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
    /// As they are now.
    settings: Options,
    /// Of the first run; the next ones are the rounds'.
    seed: u64,
    next_seed: u64,
    /// Runs that are no part of a trial.
    members: Vec<PathBuf>,
    /// The runs of the settings as they are now.
    runs: Vec<PathBuf>,
    repairs: Vec<Repair>,
    rounds: Vec<Round>,
    tested: BTreeSet<String>,
    advised: Advised,
}

impl<'a> Session<'a> {
    fn new(
        ask: &'a Improve,
        (source, data): (&'a DataSource, Data<'a>),
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
            settings,
            seed,
            next_seed: seed + 1,
            members: Vec::new(),
            runs: Vec::new(),
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
        let all = Trained::of_all(self.members.iter().chain(&trials).map(PathBuf::as_path))?;
        let now = Trained::of_all(self.runs.iter().map(PathBuf::as_path))?;
        Ok(Account { budget: self.ask.budget, all, now, clock: self.seconds() })
    }

    /// A run of the settings as they are, in a directory of that name.
    fn member(&mut self, name: &str, observer: &mut dyn Observer) -> Result<PathBuf, RunError> {
        let path = self.dir.path().join(name);
        self.members.push(path.clone());
        let experiment =
            self.data.prepare(&Options { seed: Some(self.seed), ..self.settings.clone() }, observer)?;
        match state(&path, &experiment)? {
            State::Finished => {}
            State::Unfinished(run) => drop(run.resume(experiment, observer)?),
            State::Absent => {
                let out =
                    Destination { dir: Some(path.clone()), force: true, command: self.command.to_owned() };
                drop(experiment.train(&out, observer)?);
            }
        }
        self.note()?;
        Ok(path)
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

    /// Make a round, or say why there is none.
    fn round(&mut self, observer: &mut dyn Observer) -> Result<Option<Stop>, RunError> {
        self.advised = advised(&self.runs)?;
        let findings =
            self.advised.findings.iter().map(|finding| (finding.name.name(), finding.sentence.clone()));
        observer.notice(&Notice::Improving(Step::Found { findings: findings.collect() }));
        let number = self.rounds.len() + 1;
        let trial = self.dir.path().join(format!("round-{number}"));
        let account = self.account()?;
        let begun = TrialDir::find(&trial);
        let plan = match (&begun, self.stopped) {
            (Some(there), _) => RoundPlan::of(&plan_of(there)?),
            (None, Some(stop)) => return Ok(Some(stop)),
            (None, None) => match self.planned(number, &account)? {
                Ok(plan) => plan,
                Err(stop) => {
                    self.stopped = Some(stop);
                    self.note()?;
                    return Ok(Some(stop));
                }
            },
        };
        observer.notice(&Notice::Improving(Step::Round {
            number,
            techniques: plan.techniques.clone(),
            pairs: plan.pairs,
            spent: (account.words(account.spent()), account.words(account.left())),
        }));
        self.make((trial, begun.is_some()), &plan, observer)?;
        self.note()?;
        Ok(None)
    }

    /// The plan of the next round, or why there is none.
    fn planned(&self, number: usize, account: &Account) -> Result<Result<RoundPlan, Stop>, RunError> {
        let treatments = &self.advised.treatments;
        let open: Vec<Treatment> =
            treatments.iter().filter(|one| !self.tested.contains(&one.technique)).cloned().collect();
        if open.is_empty() {
            let nothing = self.advised.findings.is_empty();
            return Ok(Err(if nothing { Stop::NoFindingLeft } else { Stop::AllTested }));
        }
        let mut all = 0.0;
        for run in &self.runs {
            all += f64::from(RunDir::open(run)?.outcome()?.epochs);
        }
        let epochs = all / self.runs.len().max(1) as f64;
        let treated = |one: &Treatment| {
            let more = one.technique.strip_prefix("epochs=").and_then(|epochs| epochs.parse().ok());
            more.unwrap_or(epochs)
        };
        // 1/2 + 1/6 + 1/12 + … = 1.
        let alpha = self.ask.alpha / (number * (number + 1)) as f64;
        let plan = RoundPlan::affordable(&open, account, epochs, treated, (alpha, self.next_seed));
        Ok(plan.ok_or(Stop::Budget))
    }

    /// The settings of a round's trial: all rounds are judged on the first run's validation images.
    fn trial_settings(&self) -> Options {
        Options { split_seed: self.settings.split_seed.or(Some(Some(self.seed))), ..self.settings.clone() }
    }

    fn make(
        &mut self,
        (trial, begun): (PathBuf, bool),
        plan: &RoundPlan,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let ask: Ask = plan.ask(self.trial_settings(), &self.ask.metric, self.ask.delta);
        let out = Destination { dir: Some(trial.clone()), force: false, command: self.command.to_owned() };
        let found = prove(&ask, self.source, &out, begun, &mut |_| {}, observer);
        let why = |technique: &String| {
            let advised = self.advised.treatments.iter().find(|one| one.technique == *technique);
            advised.cloned()
        };
        let treatments = plan.techniques.iter().filter_map(why).collect();
        let mut round = Round { trial: trial.clone(), treatments, proof: None, void: None, adopted: None };
        self.next_seed = plan.first_seed + plan.pairs as u64;
        match found {
            Ok(proof) => {
                self.tested.extend(plan.techniques.iter().cloned());
                round.adopted = winner(&proof);
                match round.adopted {
                    Some(place) => self.adopt(&proof, place, observer)?,
                    None => observer.notice(&Notice::Improving(Step::NoWinner)),
                }
                round.proof = Some(proof);
                self.rounds.push(round);
                Ok(())
            }
            Err(RunError::Diverged(problem)) => self.void(round, problem, observer),
            Err(error) => Err(error),
        }
    }

    fn adopt(
        &mut self,
        proof: &crate::trial::Proof,
        place: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let judged = &proof.outcome.techniques[place];
        for (name, value) in &proof.design.techniques[place].settings {
            self.settings.set(name, OsStr::new(value))?;
        }
        self.runs = treated_runs(proof, place);
        observer.notice(&Notice::Improving(Step::Adopted {
            technique: judged.name.clone(),
            difference: judged.mean_difference,
            pairs: judged.pairs,
        }));
        Ok(())
    }

    /// A run of the round has no network: a technique that does that is out; settings that do are repaired.
    fn void(
        &mut self,
        mut round: Round,
        problem: String,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let Some(there) = TrialDir::find(&round.trial) else { return Err(RunError::Diverged(problem)) };
        let design = plan_of(&there)?;
        let Some((arm, run)) = without_network(&round.trial, &design)?.into_iter().next() else {
            return Err(RunError::Diverged(problem));
        };
        observer.notice(&Notice::Improving(Step::Void { arm: arm.clone() }));
        round.void = Some(arm.clone());
        self.rounds.push(round);
        if arm != BASELINE {
            self.tested.insert(arm);
            return Ok(());
        }
        self.repair(run, problem, observer)?;
        self.establish(observer)
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
