//! When to save the model and under which name, as Keras' `ModelCheckpoint` decides it once an epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wellfit_base::number;

use crate::error::require_finite;
use crate::metric::keras_improves;
use crate::pyformat::{fill, fixed};
use crate::{Mode, PolicyError, direction};

/// What to save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// The file's name, with fields such as `{epoch:02d}` (counted from 1) and `{val_loss:.4f}`.
    pub path: String,
    /// The metric that says which epoch is best.
    pub monitor: String,
    /// Whether it should fall or rise; `None` is as Keras' "auto", from its name ([`direction`]).
    pub mode: Option<Mode>,
    /// Save only an epoch better than all before.
    pub save_best_only: bool,
    /// With `save_best_only`, save only what is better than this.
    pub initial_value_threshold: Option<f64>,
}

impl Default for CheckpointConfig {
    /// Every epoch, under its number.
    fn default() -> Self {
        Self {
            path: "checkpoint-epoch-{epoch:02d}.safetensors".to_owned(),
            monitor: "val_loss".to_owned(),
            mode: None,
            save_best_only: false,
            initial_value_threshold: None,
        }
    }
}

/// What to do after an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointDecision {
    /// Whether to save.
    pub save: bool,
    /// Where to, fields filled in.
    pub path: String,
    /// Keras' verbose line, without its leading line break.
    pub message: String,
}

/// The machine: one [`observe`](Self::observe) an epoch. Serialise it to resume where it was.
///
/// As in Keras, the very first value is an improvement even if it is NaN, and nothing beats it then; set
/// `initial_value_threshold` to keep NaN out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointPolicy {
    config: CheckpointConfig,
    mode: Mode,
    #[serde(with = "number::option", default)]
    best: Option<f64>,
}

impl CheckpointPolicy {
    /// A machine that has seen nothing yet.
    ///
    /// # Errors
    /// If the direction of `monitor` is needed and unknown, or the threshold is not finite.
    pub fn new(config: CheckpointConfig) -> Result<Self, PolicyError> {
        require_finite(config.initial_value_threshold, "initial_value_threshold")?;
        let mode = match config.mode {
            Some(mode) => mode,
            None if config.save_best_only => direction(&config.monitor)?,
            None => Mode::default(),
        };
        let best = config.initial_value_threshold;
        Ok(Self { config, mode, best })
    }

    /// The best value so far.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Takes the metrics of `epoch`, counted from 0.
    ///
    /// # Errors
    /// If the file name cannot be filled in, or the monitored metric is needed and missing (Keras would
    /// warn and save).
    pub fn observe(
        &mut self,
        epoch: u32,
        metrics: &BTreeMap<String, f64>,
    ) -> Result<CheckpointDecision, PolicyError> {
        let number = u64::from(epoch) + 1;
        let path = fill(&self.config.path, number, metrics)?;
        if !self.config.save_best_only {
            let message = format!("Epoch {number}: saving model to {path}");
            return Ok(CheckpointDecision { save: true, path, message });
        }
        let monitor = &self.config.monitor;
        let current = *metrics.get(monitor).ok_or_else(|| PolicyError::MissingMetric {
            monitor: monitor.clone(),
            available: metrics.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })?;
        let before = self.best.map_or("None".to_owned(), |best| fixed(best, 5));
        let save = keras_improves(self.mode, current, 0.0, self.best);
        let message = if save {
            self.best = Some(current);
            let current = fixed(current, 5);
            format!("Epoch {number}: {monitor} improved from {before} to {current}, saving model to {path}")
        } else {
            format!("Epoch {number}: {monitor} did not improve from {before}")
        };
        Ok(CheckpointDecision { save, path, message })
    }
}
