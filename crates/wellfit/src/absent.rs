//! Commands that this build is without.

use crate::error::CliError;
use clap::Args;
use std::ffi::OsString;

/// Whatever was given to such a command.
#[derive(Debug, Args)]
pub struct Absent {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Says how to come by `serve` and `watch`, always as an error.
pub fn refuse() -> Result<(), CliError> {
    Err(CliError::Usage(
        "this build is without `serve` and `watch`: take a package of Wellfit, or build with --features serve"
            .into(),
    ))
}
