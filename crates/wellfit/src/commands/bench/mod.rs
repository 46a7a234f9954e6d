//! `wellfit bench`: how fast this machine trains.
//!
//! * `workload` what is measured: a network, or the two of a lab, on random pixels
//! * `steps` the measurement of training steps and forward passes
//! * `loader`, `photos` from image files to batches, and files to do it with
//! * `samples`, `profile`, `threads`, `memory` medians, shares by layer and by work, the peak of memory

mod loader;
mod memory;
mod photos;
mod profile;
mod samples;
mod steps;
mod threads;
mod workload;

use crate::args::BenchArgs;
use crate::config::{batch_size, image_size, require};
use crate::error::CliError;
use crate::output::Output;
use wellfit::models::MODELS;

/// Steps beyond this take days.
const MOST_STEPS: u32 = 1_000_000;

/// Run the command.
pub fn run(args: &BenchArgs, out: Output) -> Result<(), CliError> {
    let name = args.job.as_str();
    require(MODELS.contains(&name) || ["dropout", "loader"].contains(&name), || {
        format!(
            "there is nothing called `{name}` to measure; known are loader, dropout, {}",
            MODELS.join(", ")
        )
    })?;
    args.batch_size.map_or(Ok(()), batch_size)?;
    args.image_size.map_or(Ok(()), image_size)?;
    require(args.steps.is_none_or(|steps| (1..=MOST_STEPS).contains(&steps)), || {
        format!("--steps must be between 1 and {MOST_STEPS}, not {}", args.steps.unwrap_or(0))
    })?;
    require(name == "loader" || (args.data.is_none() && args.workers.is_none()), || {
        "--data and --workers belong to `bench loader`; the networks compute on random pixels".to_owned()
    })?;
    if name == "loader" { loader::run(args, out) } else { steps::run(args, out) }
}
