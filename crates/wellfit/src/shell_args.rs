//! What `completions` and `man` take.

use clap::Args;
use std::path::PathBuf;

/// `wellfit completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `wellfit man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Where to
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
