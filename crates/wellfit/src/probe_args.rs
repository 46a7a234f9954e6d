//! The options of `wellfit probe`.

use clap::Args;
use std::path::PathBuf;

/// `wellfit probe`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ProbeArgs {
    /// A finished run, or the directory of a cross-validation
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print only: leave probe.json and the sheets of pictures out of the run's directory
    #[arg(long)]
    pub no_files: bool,
    /// Also write the probabilities that labels are judged by, as CSV
    #[arg(long, value_name = "FILE")]
    pub probabilities: Option<PathBuf>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, whatever was found, 3 data that cannot be used or are no longer those of the run, 4 unusable weights, \
5 a run that cannot be read, or files that cannot be written";
