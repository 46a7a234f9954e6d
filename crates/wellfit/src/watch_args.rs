//! The options of `watch`.

use clap::Args;
use std::path::PathBuf;

/// `wellfit watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// A folder of runs, or a run
    #[arg(value_name = "DIR", default_value = "runs")]
    pub dir: PathBuf,
    /// The port of this machine to listen to; 0 takes any that is free
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub port: u32,
    /// Show the runs in the terminal, not in a browser
    #[cfg(feature = "tui")]
    #[arg(long)]
    pub tui: bool,
}
