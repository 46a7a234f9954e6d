//! What is read of a run.

use crate::error::RunError;
use std::path::PathBuf;
use wellfit_base::Shown;
use wellfit_record::{
    EpochRecord, EpochStatistics, Metric, RunDir, RunInfo, Statistics, answers, best_epoch, epochs,
};

/// A run that is compared with others.
#[derive(Debug)]
pub struct Compared {
    /// Its directory, as it was given.
    pub path: PathBuf,
    /// What it is.
    pub info: RunInfo,
    /// Its epochs.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights it kept, by its own `best`.
    pub best: EpochRecord,
    /// What decided which epoch that is.
    pub best_by: Metric,
    /// Whether each validation image was answered rightly in that epoch, where it was recorded.
    pub right: Option<Vec<bool>>,
    /// The plain cross-entropy of the validation images, or of evenly spaced ones, in that epoch, where it was recorded.
    pub losses: Option<Vec<f64>>,
    /// The mean plain cross-entropy of all validation images in that epoch: unlike the loss it does not depend on
    /// settings such as `label_smoothing`.
    pub cross_entropy: Option<f64>,
}

/// Whether both judge by the same images: then they set the same aside, or have the same part for it.
pub(super) fn same_validation(a: &Compared, b: &Compared) -> bool {
    (&a.info.data.fingerprint, a.info.data.val) == (&b.info.data.fingerprint, b.info.data.val)
}

/// The run in that directory; damaged lines of its record are told.
pub(super) fn read(path: PathBuf, warnings: &mut Vec<String>) -> Result<Compared, RunError> {
    let run = RunDir::open(&path)?;
    let info: RunInfo = run.read_run_toml()?;
    let log = run.events()?;
    warnings.extend(log.problems.iter().map(ToString::to_string));
    let records = epochs(&log.rows);
    let best_by = info.best_by();
    let Some(best) = best_epoch(&records, best_by).copied() else {
        let problem = format!("{} has ended no epoch: there is nothing to compare", path.shown());
        return Err(RunError::Output(problem));
    };
    let last = records.last().map_or(0, |record| record.epoch);
    let place = best.epoch.saturating_sub(1) as usize;
    let right = answers(&log.rows, last).into_iter().nth(place).flatten();
    let statistics = of_epoch(&run, best.epoch)?;
    let losses = statistics.as_ref().map(|row| row.val_losses.iter().copied().collect::<Option<Vec<_>>>());
    Ok(Compared {
        right,
        losses: losses.flatten().filter(|losses| !losses.is_empty()),
        // It is recorded where the loss that is trained is another one.
        cross_entropy: statistics.map(|row| row.val_cross_entropy.unwrap_or(best.val_loss())),
        path,
        info,
        epochs: records,
        best,
        best_by,
    })
}

/// What was recorded of an epoch for a diagnosis.
fn of_epoch(run: &RunDir, epoch: u32) -> Result<Option<EpochStatistics>, RunError> {
    let rows = run.statistics()?.map(|log| log.rows).unwrap_or_default();
    Ok(rows.into_iter().rev().find_map(|row| match row {
        Statistics::Epoch(row) if row.epoch == epoch => Some(row),
        _ => None,
    }))
}
