//! The options of `serve`.

use crate::args::{FileArgs, NumberArgs};
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

/// `wellfit serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// A run's directory, an exported one, a weight file, `embedded`, or pretrained weights: imagenet (with --model),
    /// hf:ORG/NAME
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The port to listen to; 0 takes any that is free
    #[arg(long, default_value_t = 8000, value_name = "PORT")]
    pub port: u32,
    /// The address of this machine to listen to: 127.0.0.1 for this machine alone, 0.0.0.0 for all who reach it
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: IpAddr,
    /// A file whose first line requests must have in `Authorization: Bearer …` [default: WELLFIT_SERVE_TOKEN, else none]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The most images that are computed at a time
    #[arg(long, default_value_t = 32, value_name = "IMAGES")]
    pub batch_size: usize,
    /// How long an image waits for others, in milliseconds
    #[arg(long, default_value_t = 2, value_name = "MS")]
    pub batch_wait: u32,
    /// The most images that wait or are computed; requests beyond it are refused with 503
    #[arg(long, default_value_t = 128, value_name = "IMAGES")]
    pub queue: usize,
    /// The most MiB of a request
    #[arg(long, default_value_t = 32, value_name = "MIB")]
    pub max_request: usize,
    /// The most connections; others wait
    #[arg(long, default_value_t = 512, value_name = "N")]
    pub connections: usize,
    /// How many seconds a request may take to arrive
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS", allow_negative_numbers = true)]
    pub timeout: f64,
    /// Go on with the weights of the start, when the run has others
    #[arg(long)]
    pub no_reload: bool,
    /// Where to compute: cpu; wgpu, cuda or cuda:N in a build with that feature
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub device: String,
    #[command(flatten)]
    pub numbers: NumberArgs,
    #[command(flatten)]
    pub file: FileArgs,
}
