//! The options of `prove`.

use crate::several_args::{ProofArgs, SeveralArgs};
use clap::Args;
use std::path::PathBuf;
use wellfit::run::options::Group;

/// `wellfit prove`.
#[derive(Debug, Args)]
#[command(
    after_help = "--help lists all options, those of train among them",
    after_long_help = "Options of train are the baseline's settings, which all runs have. More: docs/prove.md"
)]
pub struct ProveArgs {
    /// Data as for `train`, or a run: its data, and its settings as the baseline's
    #[arg(value_name = "DATA|RUN", required_unless_present = "audit")]
    pub data: Option<String>,
    /// What is compared with the baseline; give it again for several: early-stopping, lr-scheduler, batch-norm, augmentation, hflip,
    /// vflip, weight-decay, label-smoothing, freeze, weights, class-weights, a schedule (one-cycle), a recipe (scratch), or any
    /// option with a value (lr=0.01)
    #[arg(long, value_name = "NAME", required_unless_present_any = ["b", "audit"])]
    pub technique: Vec<String>,
    /// A configuration as for --config that is the baseline
    #[arg(long, value_name = "FILE", requires = "b", conflicts_with = "config")]
    pub a: Option<PathBuf>,
    /// A configuration that is compared with it
    #[arg(long, value_name = "FILE")]
    pub b: Option<PathBuf>,
    /// Pairs of runs, each with a seed of its own [default: as few as can show anything, at least 6]
    #[arg(long, value_name = "N", conflicts_with = "until_sure")]
    pub seeds: Option<usize>,
    /// Make pairs until the verdict is sure, at most so many
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    pub until_sure: Option<usize>,
    /// Let several techniques race: drop those that fall behind, and end when one is proven to help
    #[arg(long, requires = "until_sure", conflicts_with = "factorial")]
    pub race: bool,
    #[command(flatten)]
    pub proof: ProofArgs,
    /// Let the techniques begin at that epoch, as if a finding had shown then; before it both arms are one training
    #[arg(long, value_name = "EPOCH")]
    pub treat_at: Option<u32>,
    /// Train all combinations of the techniques, and judge each of them and what two do together
    #[arg(long)]
    pub factorial: bool,
    /// Judge the best weights on the test part, too, once the verdicts stand; such looks are counted
    #[arg(long)]
    pub test: bool,
    /// Let so many processes work on pairs at once; fewer where memory is short
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// Train one pair of that trial again, chosen at random, and compare the SHA-256 of its weights
    #[arg(long, value_name = "TRIAL", conflicts_with_all = ["technique", "b", "resume", "out"])]
    pub audit: Option<PathBuf>,
    #[command(flatten)]
    pub several: SeveralArgs,
    /// Go on with the trial in --out, or with the newest in runs/ of this plan and these data; begin one if there is none.
    /// Several processes may work on one trial
    #[arg(long, value_name = "auto", num_args = 0..=1, default_missing_value = "auto", value_parser = ["auto"], help_heading = Group::Checkpoints.title())]
    pub resume: Option<String>,
    /// The trial's directory [default: runs/<data>-<techniques>-<n>]
    #[arg(long, value_name = "DIR", help_heading = Group::Output.title())]
    pub out: Option<PathBuf>,
}
