//! Pages that follow runs while these go on, for a server that tells the news: a message of `events` is the list of runs,
//! each as [`RunNews`] says; what is asked of a run is posted to `ask`.

use crate::error::ReportError;
use crate::page::{Frame, Live, fitting};
use crate::read::RunReport;
use askama::Template;
use serde::Serialize;
use std::path::Path;
use wellfit_base::number;
use wellfit_record::{Metric, RunDir, RunState, RunSummary, epochs, is_of_trial};

/// Points of a small curve.
const MOST_POINTS: usize = 60;

/// How a run stands, in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunNews {
    /// Its name in the list.
    pub name: String,
    /// `running`, `interrupted`, or why it ended.
    pub state: String,
    /// Whether it can be asked for something.
    pub steerable: bool,
    /// The architecture.
    pub model: String,
    /// The data.
    pub data: String,
    /// When it began.
    pub created: String,
    /// Epochs done, and to be done; the latter 0 where it is not known.
    pub epochs: [u32; 2],
    /// The best epoch.
    pub best: Option<Best>,
    /// Where it stands within an epoch.
    pub step: Option<Step>,
    /// The validation accuracy of the epochs, thinned out.
    pub curve: Vec<Option<f64>>,
    /// Another one when the page of the run says something else.
    pub stamp: String,
    /// Why it cannot be read; the rest is empty then.
    pub problem: Option<String>,
}

/// The best epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// Its number.
    pub epoch: u32,
    /// The validation accuracy.
    #[serde(with = "number")]
    pub val_accuracy: f64,
    /// The validation loss.
    #[serde(with = "number")]
    pub val_loss: f64,
}

/// The last step that was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Its epoch.
    pub epoch: u32,
    /// Its number.
    pub step: u64,
    /// The learning rate.
    #[serde(with = "number")]
    pub lr: f64,
    /// The loss of its batch; the first one's where several networks are trained side by side.
    #[serde(with = "number")]
    pub loss: f64,
}

impl RunNews {
    /// Of a run in a list.
    #[must_use]
    pub fn of(summary: &RunSummary) -> Self {
        let read = || -> Result<_, String> {
            let outcome = summary.outcome.as_ref().map_err(ToString::to_string)?;
            let run = RunDir::open(&summary.path).map_err(|error| error.to_string())?;
            let events = run.events().map_err(|error| error.to_string())?.rows;
            Ok((outcome, run, events))
        };
        let (outcome, run, events) = match read() {
            Ok(read) => read,
            Err(problem) => return Self::unreadable(&summary.name, problem),
        };
        let records = epochs(&events);
        let running = outcome.state == RunState::Running;
        let last = run.last_step().filter(|_| running);
        let planned = outcome.info.config.get("epochs").and_then(toml::Value::as_integer);
        let value = |at: usize| Metric::VAL_ACCURACY.of(&records[at]).filter(|value| value.is_finite());
        let points = records.len().min(MOST_POINTS);
        Self {
            name: summary.name.clone(),
            state: outcome.state.to_string(),
            steerable: running && !is_of_trial(&summary.path),
            model: outcome.info.model.name.clone(),
            data: outcome.info.data.name.clone(),
            created: outcome.info.created.clone(),
            epochs: [outcome.epochs, planned.and_then(|epochs| epochs.try_into().ok()).unwrap_or(0)],
            best: outcome.best.as_ref().map(|best| Best {
                epoch: best.epoch,
                val_accuracy: best.val_accuracy(),
                val_loss: best.val_loss(),
            }),
            step: last.map(|row| Step {
                epoch: row.epoch,
                step: row.step,
                lr: row.lr,
                loss: row.losses.values().next().copied().unwrap_or(f64::NAN),
            }),
            // Evenly, the last one with them.
            curve: (1..=points).map(|point| value(point * records.len() / points - 1)).collect(),
            stamp: stamp(events.len(), &outcome.state),
            problem: None,
        }
    }

    fn unreadable(name: &str, problem: String) -> Self {
        Self {
            name: name.to_owned(),
            state: "unreadable".to_owned(),
            steerable: false,
            model: String::new(),
            data: String::new(),
            created: String::new(),
            epochs: [0, 0],
            best: None,
            step: None,
            curve: Vec::new(),
            stamp: problem.clone(),
            problem: Some(problem),
        }
    }
}

/// What a run's page says follows from these.
fn stamp(events: usize, state: &RunState) -> String {
    format!("{events} {state}")
}

/// The page of the run in that directory, as [`run_page`](crate::run_page) makes it, that follows it.
///
/// # Errors
/// As [`RunReport::read`]; if it cannot be written.
pub fn live_run_page(path: &Path) -> Result<String, ReportError> {
    let run = RunReport::read(path)?;
    let steerable = run.state == RunState::Running && !is_of_trial(path);
    let state = run.state.to_string().replace('_', " ");
    let stamp = stamp(run.events.len(), &run.state);
    fitting(&run, Some(&Live { state, stamp, steerable }))
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage<'a> {
    frame: Frame,
    folder: &'a str,
}

/// The list of the runs in a folder of that name, which follows them.
///
/// # Errors
/// If it cannot be written.
pub fn live_list_page(folder: &str) -> Result<String, ReportError> {
    Ok(RunsPage { frame: Frame::live("[]".to_owned()), folder }.render()?)
}
