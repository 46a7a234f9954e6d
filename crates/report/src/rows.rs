//! The curves of a run as rows: CSV and JSON lines, a row an epoch.

use crate::error::ReportError;
use crate::read::RunReport;
use serde_json::{Map, Value};
use wellfit_record::{EpochRecord, Metric};

/// The metrics that any epoch of the run has.
fn metrics(run: &RunReport) -> Vec<Metric> {
    let has = |metric: &Metric| run.epochs.iter().any(|epoch| metric.of(epoch).is_some());
    Metric::ALL.into_iter().filter(has).collect()
}

/// What is known of an epoch besides its metrics.
fn others(epoch: &EpochRecord) -> [(&'static str, f64); 4] {
    [
        ("lr", epoch.lr),
        ("seconds", epoch.seconds),
        ("data_wait_seconds", epoch.data_wait_seconds),
        ("images_per_second", epoch.images_per_second),
    ]
}

/// CSV (RFC 4180) with a head: `epoch`, `step`, the metrics by their names, then rate and times. Missing values are empty;
/// NaN and infinities are `NaN`, `inf` and `-inf`, as pandas reads them.
///
/// # Errors
/// None that a table in memory has.
pub fn csv(run: &RunReport) -> Result<Vec<u8>, ReportError> {
    let metrics = metrics(run);
    let mut table = csv::Writer::from_writer(Vec::new());
    let names = metrics
        .iter()
        .map(|metric| metric.name())
        .chain(others(&EpochRecord::default()).map(|(name, _)| name));
    let head = ["epoch", "step"].into_iter().chain(names);
    table.write_record(head)?;
    for epoch in &run.epochs {
        let values =
            metrics.iter().map(|metric| metric.of(epoch).map_or_else(String::new, |value| value.to_string()));
        let row = [epoch.epoch.to_string(), epoch.step.to_string()]
            .into_iter()
            .chain(values)
            .chain(others(epoch).map(|(_, value)| value.to_string()));
        table.write_record(row)?;
    }
    table.into_inner().map_err(|error| ReportError::Output(error.to_string()))
}

/// JSON lines: an object an epoch with the same names. NaN and infinities, which JSON lacks, are null.
#[must_use]
pub fn json_lines(run: &RunReport) -> Vec<u8> {
    let metrics = metrics(run);
    let mut lines = String::new();
    for epoch in &run.epochs {
        let mut row = Map::new();
        row.insert("epoch".to_owned(), epoch.epoch.into());
        row.insert("step".to_owned(), epoch.step.into());
        let values = metrics.iter().filter_map(|metric| Some((metric.name(), metric.of(epoch)?)));
        for (name, value) in values.chain(others(epoch)) {
            row.insert(
                name.to_owned(),
                serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number),
            );
        }
        lines += &Value::Object(row).to_string();
        lines.push('\n');
    }
    lines.into_bytes()
}
