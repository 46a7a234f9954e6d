//! The options of `improve`.

use crate::data_args::PlaceArgs;
use crate::settings::Settings;
use clap::Args;
use std::path::PathBuf;
use wellfit::run::Budget;
use wellfit::run::options::Group;

/// `wellfit improve`.
#[derive(Debug, Args)]
#[command(
    after_help = "--help lists all options, those of train among them",
    after_long_help = "Options of train are the settings to begin with. More: docs/improve.md"
)]
pub struct ImproveArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    /// What it may cost: a time, such as 2h or 40min, or epochs of all runs together, such as 300epochs, which are the same on
    /// every machine
    #[arg(long, value_name = "TIME|EPOCHS")]
    pub budget: Budget,
    /// What is to be improved, of the validation images; val_balanced_accuracy where classes are rare
    #[arg(long, value_name = "METRIC", default_value = "val_accuracy")]
    pub metric: String,
    /// The least difference that matters
    #[arg(long, value_name = "X", default_value_t = 0.005, allow_negative_numbers = true)]
    pub delta: f64,
    /// The chance to adopt any technique that does nothing, over all rounds
    #[arg(long, value_name = "P", default_value_t = 0.05, allow_negative_numbers = true)]
    pub alpha: f64,
    // After these, so that help has the groups in their order.
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
    /// Go on with the improvement in --out, or with the newest in runs/ of this plan and these data; begin one if there is none
    #[arg(long, value_name = "auto", num_args = 0..=1, default_missing_value = "auto", value_parser = ["auto"], help_heading = Group::Checkpoints.title())]
    pub resume: Option<String>,
    /// Its directory [default: runs/<data>-improve-<n>]
    #[arg(long, value_name = "DIR", help_heading = Group::Output.title())]
    pub out: Option<PathBuf>,
}
