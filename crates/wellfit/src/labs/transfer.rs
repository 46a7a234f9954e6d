//! `wellfit lab transfer`: fine-tuning with early stopping and learning-rate decay, by the recipe named in README.md.

use crate::args::TrainArgs;
use crate::cluster::Cluster;
use crate::commands::train;
use crate::error::CliError;
use crate::output::Output;
use wellfit::run::Validation;

/// As `train`, but validating on `test/`.
pub fn run(args: &TrainArgs, out: Output) -> Result<(), CliError> {
    train::run(args, Validation::Test, &Cluster::default(), out)
}
