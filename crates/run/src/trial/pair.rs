//! The runs of a pair, made as ordinary ones; what an arm shares with the baseline is trained once.

use super::arms::{Arm, options};
use super::data::Data;
use super::keeper::Keeper;
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::member::{State, state};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::RunSpec;
use crate::resume::Unfinished;
use crate::saved::SavedRun;
use crate::sharing::Sharing;
use crate::training::Destination;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_proof::Design;
use wellfit_proof::trial::PairId;
use wellfit_record::{Checkpoint, RunDir, TrialDir};
use wellfit_train::LAST;
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};

/// The baseline's directory, seen from a treated run's.
const BESIDE: &str = "../baseline";

/// A trial that is being worked on.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub design: &'a Design,
    /// The baseline, and what is compared with it: the arm of a [`PairId`] is one behind its technique.
    pub arms: &'a [Arm],
    pub dir: &'a TrialDir,
    pub data: &'a Data<'a>,
    pub command: &'a str,
    /// Whether every run is trained from its beginning, whatever it shares.
    pub whole: bool,
}

impl Trial<'_> {
    /// The seed of a pair.
    pub fn seed(&self, pair: usize) -> u64 {
        self.design.first_seed + pair as u64
    }

    /// The run of an arm of a pair.
    pub fn run(&self, pair: usize, arm: usize) -> PathBuf {
        self.dir.run(self.seed(pair), &self.arms[arm].directory)
    }

    /// Whether both runs of a pair are whole.
    pub fn is_finished(&self, id: PairId) -> Result<bool, RunError> {
        for arm in [0, id.technique + 1] {
            let Ok(run) = RunDir::open(self.run(id.pair, arm)) else { return Ok(false) };
            if !SavedRun::read(&run)?.is_finished(&run)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Make what is missing of the runs of a pair. The caller has the pair's lock.
    pub fn make(&self, id: PairId, observer: &mut dyn Observer) -> Result<(), RunError> {
        let baseline = self.prepare(id.pair, 0, observer)?;
        self.make_baseline(id.pair, baseline, observer)?;
        self.make_treated(id, observer)?;
        let begun = |arm| self.run(id.pair, arm).join("run.toml").is_file();
        if (1..self.arms.len()).all(begun) {
            self.dir.forget(self.seed(id.pair));
        }
        Ok(())
    }

    /// What a run of that arm needs before its first step.
    pub fn prepare(
        &self,
        pair: usize,
        arm: usize,
        observer: &mut dyn Observer,
    ) -> Result<Experiment, RunError> {
        let options = options(self.design, &self.arms[arm], self.seed(pair))?;
        self.data.prepare(&options, observer)
    }

    fn make_baseline(
        &self,
        pair: usize,
        experiment: Experiment,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let state = self.begin(pair, 0, &experiment, observer)?;
        if matches!(state, State::Finished) {
            return Ok(());
        }
        let sharings = (1..self.arms.len()).map(|arm| self.sharing(pair, arm, &experiment));
        let sharings = sharings.collect::<Result<Vec<_>, _>>()?;
        let mut brief = Brief(observer);
        let mut keeper = Keeper::new(&mut brief, (self.dir, self.seed(pair)), &self.run(pair, 0), sharings)?;
        match state {
            State::Unfinished(run) => drop(run.resume(experiment, &mut keeper)?),
            _ => drop(experiment.train(&self.place(pair, 0), &mut keeper)?),
        }
        Ok(())
    }

    fn make_treated(&self, id: PairId, observer: &mut dyn Observer) -> Result<(), RunError> {
        let (pair, arm) = (id.pair, id.technique + 1);
        let experiment = self.prepare(pair, arm, observer)?;
        let state = self.begin(pair, arm, &experiment, observer)?;
        let late = self.design.treat_at.is_some_and(|epoch| epoch > 1);
        match state {
            State::Finished => {}
            State::Unfinished(run) => {
                let dir = RunDir::open(self.run(pair, arm))?;
                if late && dir.newest_good(Some(LAST))?.found.is_none() {
                    return Err(lost(dir.path(), "its checkpoints are damaged"));
                }
                drop(run.resume(experiment, &mut Brief(observer))?);
            }
            State::Absent => self.begin_treated((pair, arm), experiment, observer)?,
        }
        Ok(())
    }

    /// Train a treated run behind what it shares with the baseline, or from its beginning.
    fn begin_treated(
        &self,
        (pair, arm): (usize, usize),
        experiment: Experiment,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let baseline = self.prepare(pair, 0, observer)?;
        let sharing = self.sharing(pair, arm, &baseline)?;
        drop(baseline);
        let from = RunDir::open(self.run(pair, 0))?;
        let late = sharing.is_late();
        let found = if self.whole && !late { None } else { sharing.latest_state(&from, self.kept(pair))? };
        let Some(found) = found else {
            if late {
                return Err(lost(from.path(), "the state at which the technique begins is gone"));
            }
            drop(experiment.train(&self.place(pair, arm), &mut Brief(observer))?);
            return Ok(());
        };
        observer.notice(&Notice::Branched { epochs: found.checkpoint.manifest.info.epoch });
        let fill = |config: &_, run: &mut _| sharing.fill((&from, BESIDE), &found, config, run);
        let (run, saved) = experiment.make_branched(&self.place(pair, arm), fill)?;
        drop(Unfinished::new(run, saved).resume(experiment, &mut Brief(observer))?);
        Ok(())
    }

    /// What an arm shares with the baseline of its pair.
    pub fn sharing(&self, pair: usize, arm: usize, baseline: &Experiment) -> Result<Sharing, RunError> {
        let options = options(self.design, &self.arms[arm], self.seed(pair))?;
        let treated = self.data.spec(&options, self.data.kind(baseline))?;
        Sharing::of(baseline, (&baseline.spec, &treated), self.design.treat_at)
    }

    /// The states of a baseline that are kept for its treated runs.
    fn kept(&self, pair: usize) -> impl Iterator<Item = PathBuf> {
        self.dir.kept(self.seed(pair)).into_iter().map(|(_, path)| path)
    }

    fn begin(
        &self,
        pair: usize,
        arm: usize,
        experiment: &Experiment,
        observer: &mut dyn Observer,
    ) -> Result<State, RunError> {
        let state = state(&self.run(pair, arm), experiment)?;
        observer.notice(&Notice::Arm {
            pair: pair + 1,
            pairs: self.design.last_pair(),
            arm: self.arms[arm].name.clone(),
            finished: matches!(state, State::Finished),
        });
        Ok(state)
    }

    /// Whatever of a run is there was cut off before it was one.
    fn place(&self, pair: usize, arm: usize) -> Destination {
        Destination { dir: Some(self.run(pair, arm)), force: true, command: self.command.to_owned() }
    }
}

/// A run that a technique was to begin in the middle of cannot be gone on with.
fn lost(run: &Path, problem: &str) -> RunError {
    RunError::Output(format!("{}: {problem}. Remove this run and give the same command again", run.shown()))
}

/// Of a trial's many runs passes on how they get on and what they warn of, but not what each of them is.
pub(crate) struct Brief<'a>(pub &'a mut dyn Observer);

impl Callback for Brief<'_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.0.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.0.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        self.0.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.0.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.0.epoch_end(report)
    }
}

impl Observer for Brief<'_> {
    fn notice(&mut self, notice: &Notice) {
        if notice.is_warning() {
            self.0.notice(notice);
        }
    }

    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        self.0.ready(spec, run)
    }
}
