//! What the command line says of a log.

use crate::args::DiagnoseArgs;
use crate::config::require;
use crate::error::CliError;
use wellfit::diagnose::Asked;
use wellfit::policy::{EarlyStoppingConfig, PlateauConfig, PolicyError};

/// Refuses what makes no sense, before anything is read.
pub fn of(args: &DiagnoseArgs) -> Result<Asked, CliError> {
    let asked = Asked {
        n_val: count("--n-val", args.n_val, 1)?,
        classes: count("--classes", args.classes, 2)?,
        early_stopping: read("--early-stopping", args.early_stopping.as_deref(), |text| {
            early_stopping(args, text)
        })?,
        plateau: read("--lr-scheduler", args.lr_scheduler.as_deref(), |text| plateau(args, text))?,
        ..Asked::default()
    };
    match &args.columns {
        None => Ok(asked),
        Some(text) => asked
            .with_columns(text)
            .map_err(|problem| CliError::Usage(format!("--columns {text}: {problem}"))),
    }
}

fn count(option: &str, given: Option<u32>, least: u32) -> Result<Option<u64>, CliError> {
    require(given.is_none_or(|given| given >= least), || format!("{option} must be at least {least}"))?;
    Ok(given.map(u64::from))
}

fn read<T>(
    option: &str,
    text: Option<&str>,
    read: impl Fn(&str) -> Result<T, PolicyError>,
) -> Result<Option<T>, CliError> {
    // A file behind the option is taken for its value.
    let hint = if text.is_some_and(|text| !text.contains('=')) {
        "; files stand in front of this option"
    } else {
        ""
    };
    text.map(read).transpose().map_err(|error| CliError::Usage(format!("{option}: {error}{hint}")))
}

/// The option alone means the textbook's settings.
fn early_stopping(args: &DiagnoseArgs, text: &str) -> Result<EarlyStoppingConfig, PolicyError> {
    let semantics = args.semantics.into();
    if text.is_empty() {
        Ok(EarlyStoppingConfig::textbook(semantics))
    } else {
        EarlyStoppingConfig::defaults(semantics).with(text)
    }
}

/// As [`early_stopping`].
fn plateau(args: &DiagnoseArgs, text: &str) -> Result<PlateauConfig, PolicyError> {
    let semantics = args.semantics.into();
    if text.is_empty() {
        Ok(PlateauConfig::textbook(semantics))
    } else {
        PlateauConfig::defaults(semantics).with(text)
    }
}
