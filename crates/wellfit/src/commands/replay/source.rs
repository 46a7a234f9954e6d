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
use wellfit::record::{EpochRecord, RunDir, epochs};
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
    /// Of a run: the rate and the seconds of each epoch.
    pub rates: Option<Vec<f64>>,
    seconds: Vec<f64>,
    /// Of a run: how many epochs it was meant to have.
    planned: Option<usize>,
}

impl Metrics {
    /// Whether it has all epochs that it was meant to have, as far as is known.
    pub fn is_whole(&self) -> bool {
        self.planned.is_some_and(|planned| self.epochs.len() >= planned)
    }

    /// The unit of the last digit, where the numbers come from a file, which rounds them.
    pub fn digit(&self) -> Option<f64> {
        let decimals = |x: f64| {
            let text = format!("{x}");
            text.split_once('.').map_or(0, |(_, behind)| behind.len() as i32)
        };
        let most = self.epochs.iter().filter(|(_, x)| x.is_finite()).map(|(_, x)| decimals(*x)).max()?;
        self.rates.is_none().then(|| 10.0_f64.powi(-most))
    }

    /// The seconds of the last `count` epochs, where they were recorded.
    pub fn seconds_of_last(&self, count: u32) -> Option<f64> {
        let first = self.seconds.len().checked_sub(count as usize)?;
        (!self.seconds.is_empty()).then(|| self.seconds[first..].iter().sum())
    }
}

/// All records that the command line names.
pub fn read_all(args: &ReplayArgs, out: Output) -> Result<Vec<Metrics>, CliError> {
    let column = args.column.as_deref();
    let files = args.losses.iter().map(|file| of_file(file, column, out));
    files.chain(args.run.iter().map(|run| of_run(run, column, out))).collect()
}

/// The one record the command line asks for.
pub fn read(args: &ReplayArgs, out: Output) -> Result<Metrics, CliError> {
    let mut records = read_all(args, out)?;
    match (records.pop(), records.len()) {
        (Some(one), 0) => Ok(one),
        _ => Err(CliError::Usage("give one --losses FILE or --run DIR; --family takes several".to_owned())),
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
    let epochs = (1..).zip(found.values).collect();
    Ok(Metrics { name: found.name, place, epochs, lr: None, rates: None, seconds: Vec::new(), planned: None })
}

/// The part of `run.toml` that says where the learning rate began.
#[derive(Deserialize)]
struct RunToml {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    lr: Option<f64>,
    epochs: Option<usize>,
}

/// A run's record.
pub fn of_run(path: &Path, column: Option<&str>, out: Output) -> Result<Metrics, CliError> {
    let name = column.unwrap_or(Metric::VAL_LOSS.name());
    let metric = Metric::named(name).ok_or_else(|| {
        let known = Metric::names();
        CliError::Usage(format!("--column {name}: a run records {known}"))
    })?;
    let run = RunDir::open(path)?;
    let Config { lr, epochs: planned } = run.read_run_toml::<RunToml>()?.config;
    let log = run.events()?;
    log.problems.iter().for_each(|problem| out.warn(problem.to_string()));
    let records: Vec<EpochRecord> =
        epochs(&log.rows).into_iter().filter(|record| metric.of(record).is_some()).collect();
    let epochs: Vec<(u32, f64)> =
        records.iter().filter_map(|record| Some((record.epoch, metric.of(record)?))).collect();
    let place = path.shown().to_string();
    if epochs.is_empty() {
        return Err(CliError::Output(format!("{place} has recorded no epoch: there is nothing to replay")));
    }
    let rates = Some(records.iter().map(|record| record.lr).collect());
    let seconds = records.iter().map(|record| record.seconds).collect();
    Ok(Metrics { name: name.to_owned(), place, epochs, lr, rates, seconds, planned })
}
