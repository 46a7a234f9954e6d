//! The plots of a run, made from its record alone.

use crate::error::RunError;
use serde::Deserialize;
use wellfit_plot::{Chart, Mark, accuracy_chart, loss_chart, twin_loss_chart};
use wellfit_record::{EpochRecord, Problem, RunDir, RunInfo, StepRecord, best_epoch, epochs};

/// The charts of a run.
#[derive(Debug)]
pub struct Plots {
    /// The name of the plot's file without an extension, such as `loss`, and the chart.
    pub charts: Vec<(String, Chart)>,
    /// Damaged lines of the record, which the charts leave out.
    pub problems: Vec<Problem>,
}

/// A lab's configuration has its name; that of a training run has none.
#[derive(Deserialize)]
struct Lab {
    lab: Option<String>,
}

/// The plots of a run: accuracy and loss of a training run, the losses of both networks of `lab batchnorm`.
///
/// # Errors
/// If the record cannot be read, has nothing to show yet, or does not hold what the run's pictures show.
pub fn plots(run: &RunDir) -> Result<Plots, RunError> {
    let info: RunInfo = run.read_run_toml()?;
    let lab: Option<Lab> = info.config.clone().try_into().ok();
    match lab.and_then(|lab| lab.lab).as_deref() {
        None => of_training(run, &info),
        Some("batchnorm") => of_batchnorm(run),
        Some(lab) => Err(RunError::Output(format!(
            "{} is a run of `lab {lab}`, whose record does not hold what its pictures show: run it again with \
             `{}`",
            run.path().display(),
            info.command
        ))),
    }
}

/// Accuracy and loss of each epoch, the best one marked.
fn of_training(run: &RunDir, info: &RunInfo) -> Result<Plots, RunError> {
    let log = run.events()?;
    let epochs = epochs(&log.rows);
    if epochs.is_empty() {
        return Err(nothing_yet(run, "epoch"));
    }
    let curve = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).collect::<Vec<f64>>();
    let mark = |best: &EpochRecord| Mark { x: f64::from(best.epoch), label: "best".to_owned() };
    let marks: Vec<Mark> = best_epoch(&epochs, info.best_by()).map(mark).into_iter().collect();
    let accuracy = accuracy_chart(&curve(EpochRecord::train_accuracy), &curve(EpochRecord::val_accuracy));
    let loss = loss_chart(&curve(EpochRecord::train_loss), &curve(EpochRecord::val_loss));
    let charts = [("accuracy", accuracy), ("loss", loss)]
        .map(|(stem, chart)| (info.stem_beside(stem), Chart { marks: marks.clone(), ..chart }));
    Ok(Plots { charts: charts.into(), problems: log.problems })
}

/// The losses up to the last epoch, under the name of the lab's last picture.
fn of_batchnorm(run: &RunDir) -> Result<Plots, RunError> {
    let log = run.steps()?;
    let Some(last) = log.rows.last() else { return Err(nothing_yet(run, "step")) };
    let name = format!("loss-epoch-{}", last.epoch);
    let loss = |step: &StepRecord, network: &str| step.losses.get(network).copied().unwrap_or(f64::NAN);
    let [normal, batchnorm] = ["normal", "batchnorm"]
        .map(|network| log.rows.iter().map(|step| loss(step, network)).collect::<Vec<f64>>());
    Ok(Plots { charts: vec![(name, twin_loss_chart(&normal, &batchnorm))], problems: log.problems })
}

fn nothing_yet(run: &RunDir, what: &str) -> RunError {
    RunError::Output(format!(
        "{} has no {what} in its record yet, so there is nothing to draw",
        run.path().display()
    ))
}
