//! The options of `compare`.

use clap::Args;
use std::path::PathBuf;

/// `wellfit compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Runs; the others are compared with the first
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub runs: Vec<PathBuf>,
    /// The folder for the curves: accuracy and loss as PNG and SVG
    #[arg(long, default_value = "compare", value_name = "DIR")]
    pub out: PathBuf,
    /// Also pictures for dark pages, such as loss-dark.png
    #[arg(long)]
    pub dark: bool,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
}
