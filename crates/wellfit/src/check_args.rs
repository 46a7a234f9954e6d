//! The options of `check`.

use crate::data_args::PlaceArgs;
use crate::settings::Settings;
use clap::Args;
use std::path::PathBuf;

/// `wellfit check`.
#[derive(Debug, Args)]
#[command(after_help = "--help lists all options, which are those of train", after_long_help = "")]
pub struct CheckArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    // First, so that help has the groups in their order.
    #[command(flatten)]
    pub settings: Settings,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A TOML file as for `train`, or a run for its settings; the command line wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Exit with code 2 if anything is found
    #[arg(long)]
    pub strict: bool,
    /// Say more: layers
    #[arg(long, short)]
    pub verbose: bool,
}
