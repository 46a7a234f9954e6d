//! The options of `tune`.

use crate::settings::one_of;
use crate::several_args::SeveralArgs;
use clap::Args;
use std::path::PathBuf;
use wellfit::run::TimeLimit;
use wellfit::run::options::Group;
use wellfit::tune::PrunerName;

/// `wellfit tune`.
#[derive(Debug, Args)]
#[command(
    after_help = "--help lists all options, those of train among them",
    after_long_help = "Options of train are settings that all trials have. The same command goes on with a study. More: docs/tune.md"
)]
pub struct TuneArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    /// What is searched: TOML with lines such as lr = { low = 1e-4, high = 1e-1, log = true } or batch_size = { choices = [32, 64] }
    /// [default: the space of the recipe]
    #[arg(long, value_name = "FILE")]
    pub space: Option<PathBuf>,
    /// Print the space and end
    #[arg(long)]
    pub show_space: bool,
    /// So many trials in the study, those it has included
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub trials: usize,
    /// Let so many processes work on the study
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// End after so long, such as 2h; what is under way then is gone on with next time
    #[arg(long, value_name = "TIME")]
    pub budget: Option<TimeLimit>,
    /// How values are chosen: tpe (where good trials are), random, grid
    #[arg(long, value_name = "NAME", default_value = "tpe", value_parser = one_of::<SamplerName>(SamplerName::NAMES))]
    pub search: SamplerName,
    /// Which trials end early, by their metric after each epoch: median, hyperband, asha, none
    #[arg(long, value_name = "NAME", default_value = "median", value_parser = one_of::<PrunerName>(PrunerName::NAMES))]
    pub pruner: PrunerName,
    /// What a trial is judged by: its best epoch's [default: --best, which is val_accuracy]
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Where the study is, as Optuna names it: journal:///FILE, sqlite:///FILE, postgresql://USER@HOST/DATABASE (password in
    /// PGPASSWORD) [default: journal:///<out>/study.log]
    #[arg(long, value_name = "URL")]
    pub storage: Option<String>,
    /// The study's name [default: <data>-tune]
    #[arg(long, value_name = "NAME")]
    pub study: Option<String>,
    /// Try a trial so many times more if its worker dies
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub retries: usize,
    /// Take a worker on another machine for dead after so long without a sign of life
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub grace: TimeLimit,
    #[command(flatten)]
    pub several: SeveralArgs,
    /// The directory of the trials' runs [default: runs/<study>]
    #[arg(long, value_name = "DIR", help_heading = Group::Output.title())]
    pub out: Option<PathBuf>,
}

/// How values are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplerName {
    /// The tree-structured Parzen estimator.
    Tpe,
    /// At random.
    Random,
    /// Every combination.
    Grid,
}

impl SamplerName {
    const NAMES: &'static [&'static str] = &["tpe", "random", "grid"];
}

impl std::str::FromStr for SamplerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "tpe" => Ok(Self::Tpe),
            "random" => Ok(Self::Random),
            "grid" => Ok(Self::Grid),
            _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
        }
    }
}
