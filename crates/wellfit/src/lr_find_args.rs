//! The options of `lr-find`.

use crate::data_args::PlaceArgs;
use crate::settings::Settings;
use clap::Args;
use std::path::PathBuf;
use wellfit::policy::lr_finder::LrRange;

/// `wellfit lr-find`.
#[derive(Debug, Args)]
#[command(after_help = "--help lists all options, which are those of train", after_long_help = "")]
pub struct LrFindArgs {
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
    /// The first learning rate
    #[arg(long, default_value = "1e-7", value_name = "RATE", allow_negative_numbers = true)]
    pub start_lr: f64,
    /// The learning rate to end before, unless the loss explodes earlier
    #[arg(long, default_value = "10", value_name = "RATE", allow_negative_numbers = true)]
    pub end_lr: f64,
    /// Training steps from one to the other
    #[arg(
        long,
        visible_alias = "num-it",
        default_value_t = LrRange::default().steps,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub steps: u32,
    /// The folder for lr-find.png, lr-find.svg and lr-find.json
    #[arg(long, default_value = "lr-find", value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
    /// Say more: layers
    #[arg(long, short)]
    pub verbose: bool,
}

impl LrFindArgs {
    /// Which rates to try.
    pub fn range(&self) -> LrRange {
        LrRange { start: self.start_lr, end: self.end_lr, steps: self.steps }
    }
}
