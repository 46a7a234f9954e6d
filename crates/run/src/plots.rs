//! The plots of a run, from its record.

use crate::error::RunError;
use crate::saved::names_of;
use wellfit_plot::{Chart, Mark, accuracy_chart, loss_chart};
use wellfit_record::{EpochRecord, RunDir, RunInfo, best_epoch, epochs};

/// The accuracy and the loss of each epoch as charts, with the names of their files without an extension.
///
/// # Errors
/// If the record cannot be read.
pub fn plots(run: &RunDir) -> Result<Vec<(String, Chart)>, RunError> {
    let info: RunInfo = run.read_run_toml()?;
    let names = names_of(run, &info)?;
    let epochs = epochs(&run.events()?.rows);
    let curve = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).collect::<Vec<f64>>();
    let mark = |best: &EpochRecord| Mark { x: f64::from(best.epoch), label: "best".to_owned() };
    let marks: Vec<Mark> = best_epoch(&epochs).map(mark).into_iter().collect();
    let accuracy = accuracy_chart(&curve(|e| e.train_accuracy), &curve(|e| e.val_accuracy));
    let loss = loss_chart(&curve(|e| e.train_loss), &curve(|e| e.val_loss));
    let charts = [("accuracy", accuracy), ("loss", loss)];
    Ok(charts.map(|(name, chart)| (names.plot(name), Chart { marks: marks.clone(), ..chart })).into())
}
