//! All runs in a directory at a glance.

use crate::best::best_epoch;
use crate::epoch::{EpochRecord, data_wait_share, epochs};
use crate::error::{At, Result};
use crate::event::Event;
use crate::identity::Identified;
use crate::info::RunInfo;
use crate::lines::Problem;
use crate::place::member;
use crate::run::{RUN_TOML, RunDir};
use crate::stop::StopReason;
use crate::trial::TrialDir;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_base::Dir;

/// The part of the data that decides nothing.
pub const TEST: &str = "test";

/// One run of a list.
#[derive(Debug)]
pub struct RunSummary {
    /// The name of its directory.
    pub name: String,
    /// The directory.
    pub path: PathBuf,
    /// Its results, or why it cannot be read.
    pub outcome: Result<Outcome>,
}

/// The results of a run so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the run is.
    pub info: RunInfo,
    /// Epochs done.
    pub epochs: u32,
    /// The epoch whose weights are kept.
    pub best: Option<EpochRecord>,
    /// The accuracy of the best weights on `test/`, once they were evaluated.
    pub test_accuracy: Option<f64>,
    /// How it stands.
    pub state: RunState,
    /// Seconds of all epochs.
    pub seconds: f64,
    /// See [`data_wait_share`].
    pub data_wait_share: f64,
    /// Damaged lines among the events.
    pub problems: Vec<Problem>,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// A process owns it.
    Running,
    /// It ended by itself, for this reason.
    Stopped(StopReason),
    /// Its process ended before it did: resume it.
    Interrupted,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Running => f.pad("running"),
            Self::Stopped(reason) => reason.fmt(f),
            Self::Interrupted => f.pad("interrupted"),
        }
    }
}

/// The runs in `root` in the order in which they were begun, whatever the clock said then. Every directory is listed, those that cannot be read with their problem
/// (and first).
///
/// # Errors
/// If `root` cannot be read.
pub fn list_runs(root: &Path) -> Result<Vec<RunSummary>> {
    let mut runs = Vec::new();
    for entry in fs::read_dir(root).at("list the runs in", root)? {
        let path = entry.at("list the runs in", root)?.path();
        let name = name_of(&path);
        if path.is_dir() && !name.starts_with('.') {
            let outcome = RunDir::open(&path).and_then(|run| run.outcome());
            runs.push(RunSummary { name, path, outcome });
        }
    }
    let created = |run: &RunSummary| run.outcome.as_ref().ok().map(|outcome| outcome.info.created.clone());
    let sequence = |run: &RunSummary| Identified::glance(&Dir::open(&run.path).ok()?).map(|run| run.sequence);
    runs.sort_by_cached_key(|run| (sequence(run), created(run), run.name.clone()));
    Ok(runs)
}

/// The same, with the runs of a group or a trial in its place: `NAME/fold-1`, `NAME/pair-0/baseline` and so on.
///
/// # Errors
/// If `root` cannot be read.
pub fn list_runs_of_groups(root: &Path) -> Result<Vec<RunSummary>> {
    let mut runs = Vec::new();
    for run in list_runs(root)? {
        let is_member = |path: &PathBuf| path.join(RUN_TOML).is_file();
        let members: Vec<PathBuf> = match TrialDir::find(&run.path) {
            Some(trial) => trial.runs(),
            None => (1..).map(|number| member(&run.path, number)).take_while(is_member).collect(),
        };
        if run.outcome.is_ok() || members.is_empty() {
            runs.push(run);
            continue;
        }
        runs.extend(members.into_iter().map(|path| RunSummary {
            name: path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/"),
            outcome: RunDir::open(&path).and_then(|run| run.outcome()),
            path,
        }));
    }
    Ok(runs)
}

impl RunDir {
    /// The results of the run so far.
    ///
    /// # Errors
    /// If `run.toml` or the events cannot be read.
    pub fn outcome(&self) -> Result<Outcome> {
        let info: RunInfo = self.read_run_toml()?;
        let events = self.events()?;
        let epochs = epochs(&events.rows);
        Ok(Outcome {
            epochs: epochs.last().map_or(0, |last| last.epoch),
            best: best_epoch(&epochs, info.best_by()).copied(),
            info,
            test_accuracy: events.rows.iter().rev().find_map(|event| match event {
                Event::Evaluated { part, accuracy, .. } if part == TEST => Some(*accuracy),
                _ => None,
            }),
            state: self.state(&events.rows),
            seconds: epochs.iter().fold(0.0, |sum, epoch| sum + epoch.seconds),
            data_wait_share: data_wait_share(&epochs),
            problems: events.problems,
        })
    }

    fn state(&self, events: &[Event]) -> RunState {
        let last = events
            .iter()
            .rev()
            .find(|event| matches!(event, Event::Start { .. } | Event::Resumed { .. } | Event::Stop { .. }));
        match last {
            Some(Event::Stop { reason, .. }) => RunState::Stopped(*reason),
            _ if self.is_running() => RunState::Running,
            _ => RunState::Interrupted,
        }
    }
}

/// The last part of a path, also of `.` and of one that is no Unicode.
pub(crate) fn name_of(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
}
