//! The options of `wellfit report`.

use clap::Args;
use std::path::PathBuf;

/// `wellfit report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Runs, the folder of a cross-validation, a trial of `prove`, an improvement, or a study of `tune`; several runs are compared on one page
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The page [default: RUN/report.html, of several ./comparison.html]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that is no page of Wellfit's
    #[arg(long)]
    pub force: bool,
}
