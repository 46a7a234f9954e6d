//! The options of `explain`.

use crate::args::{FileArgs, TableArgs};
use clap::Args;
use std::path::PathBuf;

/// `wellfit explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A run's directory, an exported one, a weight file, `embedded`, or pretrained weights: imagenet (with --model),
    /// hf:ORG/NAME
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Images: files, folders, patterns such as 'photos/**/*.jpg', and - for a list on standard input; or data as for
    /// `predict`
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub table: TableArgs,
    /// Show what speaks for this class [default: the class that each image is taken for]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// The folder for explanation.png and explanation.json
    #[arg(long, default_value = "explanation", value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub file: FileArgs,
}
