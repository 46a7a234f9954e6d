//! `wellfit lab transfer`: fine-tuning with early stopping and learning-rate decay, as a PyTorch textbook does it.

use crate::args::TrainArgs;
use crate::commands::train;
use crate::error::CliError;
use crate::output::Output;
use wellfit::run::Validation;

/// As `train`, but validating on `test/`.
pub fn run(args: &TrainArgs, out: Output) -> Result<(), CliError> {
    train::run(args, Validation::Test, out)
}
