//! The options of `replay --family` and `--branch`.

use clap::Args;
use std::path::PathBuf;

/// What `replay` tries at once.
#[derive(Debug, Args)]
pub struct FamilyArgs {
    /// Try every patience, delta and semantics of early stopping, and every patience of the plateau scheduler; --run or
    /// --losses may be given again for other seeds, on which the best policy is judged
    #[arg(long)]
    pub family: bool,
    /// With --family: these patiences, such as 3,5,10 or 1-20 [default: all up to 30]
    #[arg(long, value_name = "LIST", requires = "family")]
    pub patiences: Option<String>,
    /// With --family: these least changes [default: 0,0.001,0.01]
    #[arg(long, value_name = "LIST", requires = "family", allow_negative_numbers = true)]
    pub min_deltas: Option<String>,
}

/// What `replay` trains.
#[derive(Debug, Args)]
pub struct BranchArgs {
    /// Train what the record of --run cannot tell: a run with these policies, which begins behind the last epoch that both have
    /// in common; what is not named stays as the run has it
    #[arg(long, requires = "run", conflicts_with_all = ["family", "lr"])]
    pub branch: bool,
    /// With --branch: the data of the run, if they have moved
    #[arg(long, value_name = "DATA", requires = "branch")]
    pub data: Option<String>,
}

/// Where `replay` writes.
#[derive(Debug, Args)]
pub struct ReplayOutArgs {
    /// With --family: the folder for the pictures, as PNG and SVG [default: replay]; with --branch: the new run's directory
    /// [default: runs/<data>-<model>-<n>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
}
