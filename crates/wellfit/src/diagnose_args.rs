//! The options of `wellfit diagnose`.

use crate::settings::one_of;
use clap::Args;
use std::path::PathBuf;
use wellfit::run::options::SemanticsName;

/// `wellfit diagnose`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct DiagnoseArgs {
    /// Runs, and logs of Lightning, Keras, fastai, Ultralytics, timm, Hugging Face, TensorBoard or Weights & Biases, or any
    /// table with a row an epoch; - is standard input
    #[arg(required = true, value_name = "RUN|FILE")]
    pub sources: Vec<PathBuf>,
    /// Which columns are which series: train_loss=NAME,val_loss=NAME,… [default: by their names]
    #[arg(long, value_name = "SERIES=COLUMN,…")]
    pub columns: Option<String>,
    /// Images that validate, which a table cannot tell
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub n_val: Option<u32>,
    /// Classes, which a table cannot tell
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub classes: Option<u32>,
    /// Early stopping ended the training, which a table cannot tell: patience=5,min_delta=0,…; patience 5 if there are no
    /// options
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, default_missing_value = "")]
    pub early_stopping: Option<String>,
    /// A scheduler was to lower the rate on a plateau: patience=5,factor=0.5,…; patience 5 if there are no options
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, default_missing_value = "")]
    pub lr_scheduler: Option<String>,
    /// Whose rules these two follow
    #[arg(long, value_name = "WHOSE", default_value = "torch", value_parser = one_of::<SemanticsName>(SemanticsName::NAMES))]
    pub semantics: SemanticsName,
    /// A picture of the curves with the findings at their epochs, in this file (.png or .svg)
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Replace the picture
    #[arg(long, requires = "picture")]
    pub force: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, whatever was found, 2 wrong option or column, 3 a file without usable metrics, 5 a run that cannot be read or a \
picture that cannot be written, \
8 some of several sources could not be read";
