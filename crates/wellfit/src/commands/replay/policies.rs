//! The policies a replay was asked for.

use super::source::Metrics;
use crate::args::ReplayArgs;
use crate::config::{positive, require};
use crate::error::CliError;
use serde::Deserialize as _;
use toml::{Table, Value};
use wellfit::policy::{
    EarlyStoppingConfig, Mode, PlateauConfig, PolicyError, RateRule, Replay, Schedule, keras_mode_auto,
};
use wellfit::train::Metric;

/// The learning rate of a file that does not tell its own: the default of `train`.
const LR: f64 = 0.001;

/// Refuse options that make no sense together, before anything is read.
pub fn check(args: &ReplayArgs) -> Result<(), CliError> {
    require(args.early_stopping.is_some() || args.lr_scheduler.is_some() || args.schedule.is_some(), || {
        "nothing to replay: give --early-stopping, --lr-scheduler or --schedule".to_owned()
    })?;
    require(args.lr_scheduler.is_none() || args.schedule.is_none(), || {
        "--lr-scheduler and --schedule both set the learning rate: choose one".to_owned()
    })?;
    args.lr.map_or(Ok(()), |lr| positive("--lr", lr))?;
    // Their texts can be wrong whatever the metrics are.
    early_stopping(args, Mode::Min)?;
    plateau(args, Mode::Min)?;
    Ok(())
}

/// The policies, for these metrics.
pub fn of(args: &ReplayArgs, metrics: &Metrics) -> Result<Replay, CliError> {
    let mode = direction(&metrics.name);
    let lr = args.lr.or(metrics.lr).unwrap_or(LR);
    let rate = match (plateau(args, mode)?, &args.schedule) {
        (Some(config), _) => RateRule::Plateau(config),
        (None, Some(text)) => RateRule::Schedule(schedule(text, lr, metrics.epochs.len())?),
        (None, None) => RateRule::Constant,
    };
    Ok(Replay { lr, rate, early_stopping: early_stopping(args, mode)? })
}

/// Which way the metric of that name should go; without a known name, down.
fn direction(name: &str) -> Mode {
    Metric::named(name).map(Metric::mode).or(keras_mode_auto(name).ok()).unwrap_or_default()
}

/// The option alone means the chapter's settings; with a text, the package's defaults stand behind it.
fn early_stopping(args: &ReplayArgs, mode: Mode) -> Result<Option<EarlyStoppingConfig>, CliError> {
    let read = |text: &String| {
        let of = if text.is_empty() { EarlyStoppingConfig::chapter } else { EarlyStoppingConfig::defaults };
        EarlyStoppingConfig { mode, ..of(args.semantics.into()) }.with(text)
    };
    args.early_stopping.as_ref().map(read).transpose().map_err(named("--early-stopping"))
}

/// As [`early_stopping`].
fn plateau(args: &ReplayArgs, mode: Mode) -> Result<Option<PlateauConfig>, CliError> {
    let read = |text: &String| {
        let of = if text.is_empty() { PlateauConfig::chapter } else { PlateauConfig::defaults };
        PlateauConfig { mode, ..of(args.semantics.into()) }.with(text)
    };
    args.lr_scheduler.as_ref().map(read).transpose().map_err(named("--lr-scheduler"))
}

/// `NAME` or `NAME:KEY=VALUE,…`, the values as in TOML. What a schedule must know of the run, it is told.
fn schedule(text: &str, lr: f64, epochs: usize) -> Result<Schedule, CliError> {
    let bad = |problem: &str| CliError::Usage(format!("--schedule {text}: {}", problem.trim_end()));
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let options = toml::de::ValueDeserializer::parse(&format!("{{{options}}}"))
        .and_then(Table::deserialize)
        .map_err(|error| bad(error.message()))?;
    let epochs = Value::Integer(i64::try_from(epochs).unwrap_or(i64::MAX));
    let mut table = match name {
        "cosine" => Table::from_iter([("t_max".to_owned(), epochs)]),
        "one-cycle" => {
            Table::from_iter([("max_lr".to_owned(), Value::Float(lr)), ("total_steps".to_owned(), epochs)])
        }
        _ => Table::new(),
    };
    table.extend(options);
    table.insert("kind".to_owned(), Value::String(name.replace('-', "_")));
    let schedule: Schedule = table.try_into().map_err(|error: toml::de::Error| bad(error.message()))?;
    schedule.validate().map_err(|error| bad(&error.to_string()))?;
    Ok(schedule)
}

fn named(option: &'static str) -> impl FnOnce(PolicyError) -> CliError {
    move |error| CliError::Usage(format!("{option}: {error}"))
}
