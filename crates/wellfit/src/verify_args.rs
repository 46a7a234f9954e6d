//! The options of `wellfit verify`.

use clap::Args;
use std::path::PathBuf;

/// `wellfit verify`.
#[derive(Debug, Args)]
pub struct VerifyRunArgs {
    /// The run's directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
}
