//! One file a command.

pub mod bench;
pub mod check;
pub mod compare;
pub mod completions;
pub mod cross_validation;
pub mod data_dedupe;
pub mod data_show;
pub mod data_split;
pub mod data_stats;
pub mod diagnose;
pub mod evaluate;
pub mod explain;
pub mod export;
mod export_curves;
mod folder;
pub mod improve;
pub mod int8;
pub mod lr_find;
pub mod man;
pub mod models;
pub mod outcome;
pub mod plot;
pub mod predict;
pub mod probe;
pub mod prove;
pub mod replay;
pub mod report;
pub mod resume;
pub mod runs;
#[cfg(feature = "serve")]
pub mod serve;
pub mod train;
#[cfg(feature = "tune")]
pub mod tune;
pub mod verify;
pub mod verify_resume;
#[cfg(feature = "serve")]
pub mod watch;
pub mod weights;

use crate::error::CliError;
use std::sync::Arc;
use wellfit::gpu::Device;
use wellfit::models::Engine;

/// The engine of `--device`.
fn engine(device: &str) -> Result<Arc<dyn Engine>, CliError> {
    let device: Device =
        device.parse().map_err(|error| CliError::Usage(format!("--device {device}: {error}")))?;
    Ok(wellfit::gpu::open(device)?)
}
