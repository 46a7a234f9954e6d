//! Where the metrics of a replay come from: a CSV file, or the record of a run.

use crate::args::ReplayArgs;
use crate::error::CliError;
use crate::output::Output;
use serde::Deserialize;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::words::{either, plural};
use wellfit::data::DataError;
use wellfit::diagnose::table::{column, read_text};
use wellfit::record::{RunDir, epochs};
use wellfit::train::Metric;

/// A metric, epoch by epoch.
pub struct Metrics {
    /// The metric's name.
    pub name: String,
    /// The file or run.
    pub place: String,
    /// The epoch, from 1, and its value. There is at least one.
    pub epochs: Vec<(u32, f64)>,
    /// The learning rate the run began with, where it is known.
    pub lr: Option<f64>,
}

/// The metrics the command line asks for.
pub fn read(args: &ReplayArgs, out: Output) -> Result<Metrics, CliError> {
    let column = args.column.as_deref();
    match (&args.losses, &args.run) {
        (Some(file), _) => of_file(file, column, out),
        (None, Some(run)) => of_run(run, column, out),
        (None, None) => Err(CliError::Usage("give --losses FILE or --run DIR".to_owned())),
    }
}

fn of_file(path: &Path, wanted: Option<&str>, out: Output) -> Result<Metrics, CliError> {
    let place = path.shown().to_string();
    if path.is_dir() {
        let problem = format!("{place} is a folder: for the metrics of a run give --run {place}");
        return Err(DataError::Invalid(problem).into());
    }
    let text = read_text(path)?;
    let found = column(&text, wanted).map_err(|problem| problem.at(&place))?;
    if found.empty > 0 {
        let rows = either(found.empty, "row has", "rows have");
        out.warn(format!(
            "{place}: {} {rows} no {} and {} left out",
            found.empty,
            found.name,
            either(found.empty, "was", "were")
        ));
    }
    if found.repeated > 0 {
        let (lines, were) = (plural(found.repeated, "line"), either(found.repeated, "was", "were"));
        out.warn(format!("{place}: the names came again in {lines}, which {were} left out"));
    }
    Ok(Metrics { name: found.name, place, epochs: (1..).zip(found.values).collect(), lr: None })
}

/// The part of `run.toml` that says where the learning rate began.
#[derive(Deserialize)]
struct RunToml {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    lr: Option<f64>,
}

fn of_run(path: &Path, column: Option<&str>, out: Output) -> Result<Metrics, CliError> {
    let name = column.unwrap_or(Metric::VAL_LOSS.name());
    let metric = Metric::named(name).ok_or_else(|| {
        let known = Metric::names();
        CliError::Usage(format!("--column {name}: a run records {known}"))
    })?;
    let run = RunDir::open(path)?;
    let lr = run.read_run_toml::<RunToml>()?.config.lr;
    let log = run.events()?;
    log.problems.iter().for_each(|problem| out.warn(problem.to_string()));
    let epochs: Vec<(u32, f64)> =
        epochs(&log.rows).iter().filter_map(|record| Some((record.epoch, metric.of(record)?))).collect();
    let place = path.shown().to_string();
    if epochs.is_empty() {
        return Err(CliError::Output(format!("{place} has recorded no epoch: there is nothing to replay")));
    }
    Ok(Metrics { name: name.to_owned(), place, epochs, lr })
}
