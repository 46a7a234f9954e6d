//! The options of `improve`.

use crate::several_args::{ProofArgs, SeveralArgs};
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
    #[command(flatten)]
    pub proof: ProofArgs,
    #[command(flatten)]
    pub several: SeveralArgs,
    /// Go on with the improvement in --out, or with the newest in runs/ of this plan and these data; begin one if there is none
    #[arg(long, value_name = "auto", num_args = 0..=1, default_missing_value = "auto", value_parser = ["auto"], help_heading = Group::Checkpoints.title())]
    pub resume: Option<String>,
    /// Its directory [default: runs/<data>-improve-<n>]
    #[arg(long, value_name = "DIR", help_heading = Group::Output.title())]
    pub out: Option<PathBuf>,
}
