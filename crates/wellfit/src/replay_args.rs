//! The options of `replay --family`.

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
    /// With --family: the folder for the pictures, as PNG and SVG
    #[arg(long, default_value = "replay", value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
}
