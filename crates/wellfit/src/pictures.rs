//! The pictures of a run, made from nothing but its record.

use crate::error::CliError;
use serde::Deserialize;
use wellfit::plot::{Chart, Mark, accuracy_chart, loss_chart, twin_loss_chart};
use wellfit::record::{EpochRecord, Problem, RunDir, StepRecord, best_epoch, epochs};

/// What a record shows.
pub struct Pictures {
    /// A name without an extension, such as `loss`, and the chart.
    pub charts: Vec<(String, Chart)>,
    /// Damaged lines of the record, which the charts leave out.
    pub problems: Vec<Problem>,
}

/// The part of `run.toml` that says what kind of run it is.
#[derive(Deserialize)]
struct RunToml {
    #[serde(default)]
    command: String,
    config: Config,
}

/// A lab says its name; a training run has none.
#[derive(Deserialize)]
struct Config {
    lab: Option<String>,
}

/// The charts of a run: accuracy and loss of a training run, the losses of both twins of `lab batchnorm`.
///
/// # Errors
/// If the record cannot be read, has nothing to show yet, or does not hold what the run's pictures show.
pub fn pictures(run: &RunDir) -> Result<Pictures, CliError> {
    let RunToml { command, config } = run.read_run_toml()?;
    match config.lab.as_deref() {
        None => of_training(run),
        Some("batchnorm") => of_batchnorm(run),
        Some(lab) => Err(CliError::Output(format!(
            "{} is a run of `lab {lab}`, whose record does not hold what its pictures show: run it again with \
             `{command}`",
            run.path().display()
        ))),
    }
}

fn of_training(run: &RunDir) -> Result<Pictures, CliError> {
    let log = run.events()?;
    let epochs = epochs(&log.rows);
    if epochs.is_empty() {
        return Err(nothing_yet(run, "epoch"));
    }
    Ok(Pictures { charts: training_charts(&epochs), problems: log.problems })
}

/// Accuracy and loss of each epoch, the best one marked.
pub fn training_charts(epochs: &[EpochRecord]) -> Vec<(String, Chart)> {
    let curve = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).collect::<Vec<f64>>();
    let best = best_epoch(epochs).map(|best| Mark { x: f64::from(best.epoch), label: "best".to_owned() });
    let accuracy = accuracy_chart(&curve(|e| e.train_accuracy()), &curve(|e| e.val_accuracy()));
    let loss = loss_chart(&curve(|e| e.train_loss()), &curve(|e| e.val_loss()));
    [("accuracy", accuracy), ("loss", loss)]
        .map(|(name, chart)| (name.to_owned(), Chart { marks: best.iter().cloned().collect(), ..chart }))
        .into()
}

/// The losses up to the last epoch, under the name of the lab's last picture.
fn of_batchnorm(run: &RunDir) -> Result<Pictures, CliError> {
    let log = run.steps()?;
    let Some(last) = log.rows.last() else { return Err(nothing_yet(run, "step")) };
    let name = format!("loss-epoch-{}", last.epoch);
    let loss = |step: &StepRecord, twin: &str| step.losses.get(twin).copied().unwrap_or(f64::NAN);
    let [normal, batchnorm] = ["normal", "batchnorm"]
        .map(|twin| log.rows.iter().map(|step| loss(step, twin)).collect::<Vec<f64>>());
    Ok(Pictures { charts: vec![(name, twin_loss_chart(&normal, &batchnorm))], problems: log.problems })
}

fn nothing_yet(run: &RunDir, what: &str) -> CliError {
    CliError::Output(format!(
        "{} has no {what} in its record yet, so there is nothing to draw",
        run.path().display()
    ))
}
