//! The policies a replay was asked for.

use super::source::Metrics;
use crate::args::ReplayArgs;
use crate::config::{positive, require};
use crate::error::CliError;
use wellfit::policy::schedule::ScheduleSpec;
use wellfit::policy::{
    EarlyStoppingConfig, Mode, PlateauConfig, PolicyError, RateRule, Replay, keras_mode_auto,
};
use wellfit::train::Metric;

/// The learning rate where a file does not have one: the default of `train`.
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
    args.schedule.as_deref().map_or(Ok(()), |text| schedule(text).map(drop))
}

/// The policies, for these metrics.
pub fn of(args: &ReplayArgs, metrics: &Metrics) -> Result<Replay, CliError> {
    let mode = direction(&metrics.name);
    let lr = args.lr.or(metrics.lr).unwrap_or(LR);
    let rate = match (plateau(args, mode)?, &args.schedule) {
        (Some(config), _) => RateRule::Plateau(config),
        (None, Some(text)) => {
            let found = schedule(text)?.build_by_epoch(lr, metrics.epochs.len() as u64);
            RateRule::Schedule(found.map_err(bad_schedule(text))?)
        }
        (None, None) => RateRule::Constant,
    };
    Ok(Replay { lr, rate, early_stopping: early_stopping(args, mode)? })
}

/// Which way the metric of that name should go; without a known name, down.
fn direction(name: &str) -> Mode {
    Metric::named(name).map(Metric::mode).or(keras_mode_auto(name).ok()).unwrap_or_default()
}

/// The option alone means the settings of the textbook; with a text, the package's defaults stand behind it.
fn early_stopping(args: &ReplayArgs, mode: Mode) -> Result<Option<EarlyStoppingConfig>, CliError> {
    let read = |text: &String| {
        let of = if text.is_empty() { EarlyStoppingConfig::textbook } else { EarlyStoppingConfig::defaults };
        EarlyStoppingConfig { mode, ..of(args.semantics.into()) }.with(text)
    };
    args.early_stopping.as_ref().map(read).transpose().map_err(named("--early-stopping"))
}

/// As [`early_stopping`].
fn plateau(args: &ReplayArgs, mode: Mode) -> Result<Option<PlateauConfig>, CliError> {
    let read = |text: &String| {
        let of = if text.is_empty() { PlateauConfig::textbook } else { PlateauConfig::defaults };
        PlateauConfig { mode, ..of(args.semantics.into()) }.with(text)
    };
    args.lr_scheduler.as_ref().map(read).transpose().map_err(named("--lr-scheduler"))
}

/// `NAME` or `NAME:OPTION=VALUE,…`.
fn schedule(text: &str) -> Result<ScheduleSpec, CliError> {
    text.parse().map_err(bad_schedule(text))
}

fn bad_schedule(text: &str) -> impl FnOnce(PolicyError) -> CliError {
    move |error| CliError::Usage(format!("--schedule {text}: {error}"))
}

fn named(option: &'static str) -> impl FnOnce(PolicyError) -> CliError {
    move |error| CliError::Usage(format!("{option}: {error}"))
}
