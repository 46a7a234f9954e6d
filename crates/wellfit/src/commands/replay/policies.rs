//! The policies a replay was asked for.

use super::source::Metrics;
use crate::args::ReplayArgs;
use crate::config::{positive, require};
use crate::error::CliError;
use wellfit::policy::schedule::ScheduleSpec;
use wellfit::policy::{EarlyStoppingConfig, Mode, PlateauConfig, PolicyError, RateRule, Replay, direction};
use wellfit::run::Policies;
use wellfit::train::Metric;

/// The learning rate where a file does not have one: the default of `train`.
const LR: f64 = 0.001;

/// Refuse options that make no sense together, before anything is read.
pub fn check(args: &ReplayArgs) -> Result<(), CliError> {
    require(args.early_stopping.is_some() || args.lr_scheduler.is_some() || args.schedule.is_some(), || {
        "nothing to replay: give --early-stopping, --lr-scheduler, --schedule or --family".to_owned()
    })?;
    require(args.lr_scheduler.is_none() || args.schedule.is_none(), || {
        "--lr-scheduler and --schedule both set the learning rate: choose one".to_owned()
    })?;
    args.lr.map_or(Ok(()), |lr| positive("--lr", lr))?;
    // Their texts can be wrong whatever the metrics are.
    early_stopping(args, &Ok(Mode::Min))?;
    plateau(args, &Ok(Mode::Min))?;
    args.schedule.as_deref().map_or(Ok(()), |text| schedule(text).map(drop))
}

/// The policies, for these metrics.
pub fn of(args: &ReplayArgs, metrics: &Metrics) -> Result<Replay, CliError> {
    let mode = &direction(&metrics.name);
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

/// Which way the metric should go by its name, where that says it.
type Direction = Result<Mode, PolicyError>;

/// The policies as a run takes them in place of its own.
pub fn of_a_run(args: &ReplayArgs, metrics: &Metrics) -> Result<Policies, CliError> {
    let mode = &direction(&metrics.name);
    Ok(Policies {
        early_stopping: early_stopping(args, mode)?,
        plateau: plateau(args, mode)?,
        schedule: args.schedule.as_deref().map(schedule).transpose()?,
        metric: Metric::named(&metrics.name).unwrap_or(Metric::VAL_LOSS),
        semantics: args.semantics,
    })
}

/// The option alone means the settings of the textbook, also where the direction has to be said; with other options in
/// its text, the package's defaults stand behind them.
fn is_textbook(text: &str) -> bool {
    text.is_empty() || (text.trim().starts_with("mode=") && !text.contains(','))
}

fn early_stopping(args: &ReplayArgs, mode: &Direction) -> Result<Option<EarlyStoppingConfig>, CliError> {
    let read = |text: &String| {
        let of =
            if is_textbook(text) { EarlyStoppingConfig::textbook } else { EarlyStoppingConfig::defaults };
        directed(mode, |mode| EarlyStoppingConfig { mode, ..of(args.semantics.into()) }.with(text))
    };
    args.early_stopping.as_ref().map(read).transpose().map_err(named("--early-stopping"))
}

/// As [`early_stopping`].
fn plateau(args: &ReplayArgs, mode: &Direction) -> Result<Option<PlateauConfig>, CliError> {
    let read = |text: &String| {
        let of = if is_textbook(text) { PlateauConfig::textbook } else { PlateauConfig::defaults };
        directed(mode, |mode| PlateauConfig { mode, ..of(args.semantics.into()) }.with(text))
    };
    args.lr_scheduler.as_ref().map(read).transpose().map_err(named("--lr-scheduler"))
}

/// The policy in that direction. Where the name does not say one, the text must: it does if both give the same.
fn directed<C: PartialEq>(
    mode: &Direction,
    read: impl Fn(Mode) -> Result<C, PolicyError>,
) -> Result<C, PolicyError> {
    match mode {
        Ok(mode) => read(*mode),
        Err(unknown) => {
            let falling = read(Mode::Min)?;
            if falling == read(Mode::Max)? { Ok(falling) } else { Err(unknown.clone()) }
        }
    }
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
