//! The options of `wellfit lab`'s experiments.

use crate::args::OutArgs;
use crate::settings::seed;
use clap::Args;
use std::path::PathBuf;

/// `wellfit lab batchnorm`.
#[derive(Debug, Args)]
pub struct BatchnormArgs {
    /// A folder with Fashion-MNIST's IDX files [default: the user's cache, then Debian's place, then a download]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Epochs
    #[arg(long, default_value_t = 2, value_name = "N", allow_negative_numbers = true)]
    pub epochs: u32,
    /// Images in a batch
    #[arg(long, default_value_t = 512, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Learning rate of SGD
    #[arg(long, default_value_t = 0.01, value_name = "RATE", allow_negative_numbers = true)]
    pub lr: f64,
    /// Decides weights and order
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = seed())]
    pub seed: u64,
    /// Repeat with this many seeds, from --seed on
    #[arg(long, default_value_t = 1, value_name = "N", allow_negative_numbers = true)]
    pub seeds: u32,
    #[command(flatten)]
    pub out: OutArgs,
}

/// `wellfit lab dropout`.
#[derive(Debug, Args)]
pub struct DropoutArgs {
    /// Full-batch epochs
    #[arg(long, default_value_t = 1000, value_name = "N", allow_negative_numbers = true)]
    pub epochs: u32,
    /// Training points, and test points
    #[arg(long, default_value_t = 50, value_name = "N", allow_negative_numbers = true)]
    pub samples: usize,
    /// Standard deviation of the noise
    #[arg(long, default_value_t = 0.3, value_name = "SIGMA", allow_negative_numbers = true)]
    pub noise: f64,
    /// Dropout rate
    #[arg(long, default_value_t = 0.2, value_name = "P", allow_negative_numbers = true)]
    pub p: f64,
    /// Units of each hidden layer
    #[arg(long, default_value_t = 100, value_name = "N", allow_negative_numbers = true)]
    pub hidden: usize,
    /// Learning rate of Adam
    #[arg(long, default_value_t = 0.01, value_name = "RATE", allow_negative_numbers = true)]
    pub lr: f64,
    /// Decides data, weights and masks
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = seed())]
    pub seed: u64,
    /// Repeat with this many seeds, from --seed on; pictures of the first
    #[arg(long, default_value_t = 1, value_name = "N", allow_negative_numbers = true)]
    pub seeds: u32,
    #[command(flatten)]
    pub out: OutArgs,
}
