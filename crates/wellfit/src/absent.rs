//! Commands that this build is without.

use crate::error::CliError;
use clap::Args;
use std::ffi::OsString;
use wellfit::base::words::left_out;

/// Whatever was given to such a command.
#[derive(Debug, Args)]
pub struct Absent {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Says how to come by these commands, always as an error.
pub fn refuse(commands: &str, feature: &str) -> Result<(), CliError> {
    Err(CliError::Usage(left_out(&format!("is without {commands}"), feature)))
}
