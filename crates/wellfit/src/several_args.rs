//! What commands that make several runs of one configuration have in common.

use crate::data_args::PlaceArgs;
use crate::error::CliError;
use crate::opening::source;
use crate::settings::Settings;
use clap::Args;
use std::path::PathBuf;
use wellfit::run::options::{Group, Options};
use wellfit::run::{DataSource, Validation};

/// The settings of all runs, and where the data are. Commands have these after their own, so that help has the groups in their
/// order.
#[derive(Debug, Args)]
pub struct SeveralArgs {
    #[command(flatten)]
    pub settings: Settings,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A TOML file as for `train`, or a run for its settings; the command line wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more of each run
    #[arg(long, short, help_heading = Group::Output.title())]
    pub verbose: bool,
}

impl SeveralArgs {
    /// The settings that were given, those of the file under them.
    pub fn options(&self) -> Result<Options, CliError> {
        self.settings.over_file(self.config.as_deref())
    }

    /// Where such data are; validation images are a share of the training images.
    pub fn source(&self, data: &str) -> DataSource {
        source(data, &self.place, Validation::Split)
    }
}

/// What is proven, and how surely.
#[derive(Debug, Args)]
pub struct ProofArgs {
    /// What is compared, of the validation images; val_balanced_accuracy where classes are rare
    #[arg(long, value_name = "METRIC", default_value = "val_accuracy")]
    pub metric: String,
    /// The least difference that matters
    #[arg(long, value_name = "X", default_value_t = 0.005, allow_negative_numbers = true)]
    pub delta: f64,
    /// The chance to find any technique that does nothing
    #[arg(long, value_name = "P", default_value_t = 0.05, allow_negative_numbers = true)]
    pub alpha: f64,
}
