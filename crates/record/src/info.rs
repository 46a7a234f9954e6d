//! The content of `run.toml` that all commands share.

use serde::{Deserialize, Serialize};

/// What a run is: enough to run it again. Written once, before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The run's name, that of its directory.
    pub name: String,
    /// The command that made it, as typed.
    pub command: String,
    /// When it began, RFC 3339 in UTC.
    pub created: String,
    /// The version of Wellfit.
    pub wellfit_version: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether a learning-rate scheduler was on.
    pub lr_scheduler: bool,
    /// Whether early stopping was on.
    pub early_stopping: bool,
    /// The classes in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The data.
    pub data: DataInfo,
    /// The model.
    pub model: ModelInfo,
    /// How an image becomes the network's input.
    pub transform: toml::Value,
    /// The command's resolved configuration.
    pub config: toml::Value,
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Its name or directory.
    pub name: String,
    /// A hash that changes with the data.
    pub fingerprint: String,
    /// Training samples.
    pub train: u64,
    /// Validation samples.
    pub val: u64,
    /// Test samples.
    pub test: u64,
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name, such as `resnet50`.
    pub name: String,
    /// All its parameters.
    pub parameters: u64,
    /// Those that are trained.
    pub trainable: u64,
}
