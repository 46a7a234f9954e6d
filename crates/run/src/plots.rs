//! The plots of a run, made from its record alone.

use crate::error::RunError;
use crate::opening::Validation;
use crate::saved::SavedRun;
use serde::Deserialize;
use wellfit_base::Shown;
use wellfit_base::words::plural;
use wellfit_plot::{Chart, Look, Mark, Paint, accuracy_chart, loss_chart, recipe, twin_loss_chart};
use wellfit_record::{EpochRecord, Problem, RunDir, RunInfo, StepRecord, best_epoch, epochs};

/// The charts of a run.
#[derive(Debug)]
pub struct Plots {
    /// The name of the plot's file without an extension, such as `loss`, and the chart.
    pub charts: Vec<(String, Chart)>,
    /// Damaged lines of the record, which the charts leave out.
    pub problems: Vec<Problem>,
}

/// A kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Pixels, twice as many each way as the layout has.
    Png,
    /// Lines and text.
    Svg,
}

impl Plots {
    /// Name and content of the file of each chart in each of the formats; with `dark` also for dark pages, as
    /// `loss-dark.png`.
    ///
    /// # Errors
    /// If a picture cannot be encoded.
    pub fn files(&self, formats: &[PictureFormat], dark: bool) -> Result<Vec<(String, Vec<u8>)>, RunError> {
        let looks =
            if dark { &[("", Look::SCREEN), ("-dark", Look::DARK)][..] } else { &[("", Look::SCREEN)] };
        let mut files = Vec::new();
        for (name, chart) in &self.charts {
            for &(suffix, look) in looks {
                for format in formats {
                    files.push(match format {
                        PictureFormat::Png => {
                            (format!("{name}{suffix}.png"), chart.draw(look).to_png_bytes()?)
                        }
                        PictureFormat::Svg => {
                            (format!("{name}{suffix}.svg"), chart.svg(look.theme).into_bytes())
                        }
                    });
                }
            }
        }
        Ok(files)
    }
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
            run.path().shown(),
            info.command
        ))),
    }
}

/// Accuracy and loss of each epoch, the best one marked, in the recipe's colours for `lab transfer`.
fn of_training(run: &RunDir, info: &RunInfo) -> Result<Plots, RunError> {
    let log = run.events()?;
    let epochs = epochs(&log.rows);
    if epochs.is_empty() {
        return Err(nothing_yet(run, "epoch"));
    }
    let curve = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).collect::<Vec<f64>>();
    let best = best_epoch(&epochs, info.best_by());
    let accuracy = accuracy_chart(&curve(EpochRecord::train_accuracy), &curve(EpochRecord::val_accuracy));
    let loss = loss_chart(&curve(EpochRecord::train_loss), &curve(EpochRecord::val_loss));
    let mut charts = [
        ("accuracy", accuracy, [recipe::GREEN, recipe::BLUE]),
        ("loss", loss, [recipe::ORANGE, recipe::RED]),
    ];
    if is_lab_transfer(run) {
        charts.iter_mut().for_each(|(_, chart, paints)| paint(chart, *paints));
    }
    let named = charts.map(|(stem, chart, _)| {
        let chart = Chart {
            title: format!("{} of {}", chart.title, info.name),
            subtitle: summary(best, epochs.len()),
            marks: best.map(mark).into_iter().collect(),
            ..chart
        };
        (info.stem_beside(stem), chart)
    });
    Ok(Plots { charts: named.into(), problems: log.problems })
}

/// `best epoch 12 of 40: validation accuracy 87.5 %, loss 0.4421`.
fn summary(best: Option<&EpochRecord>, epochs: usize) -> String {
    match best {
        None => format!("no validation loss in {}", plural(epochs, "epoch")),
        Some(best) => format!(
            "best epoch {} of {epochs}: validation accuracy {:.1} %, loss {:.4}",
            best.epoch,
            100.0 * best.val_accuracy(),
            best.val_loss()
        ),
    }
}

fn mark(best: &EpochRecord) -> Mark {
    Mark { x: f64::from(best.epoch), label: format!("best epoch {}", best.epoch) }
}

fn paint(chart: &mut Chart, paints: [Paint; 2]) {
    chart.lines.iter_mut().zip(paints).for_each(|(line, paint)| line.color = paint);
}

/// Of the runs with epochs it is the one that validates on the test images.
fn is_lab_transfer(run: &RunDir) -> bool {
    let saved: Option<SavedRun> = run.read_run_toml().ok();
    saved.is_some_and(|saved| saved.source.validation == Validation::Test)
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
        run.path().shown()
    ))
}
