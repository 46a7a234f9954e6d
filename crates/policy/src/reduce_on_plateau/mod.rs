//! Reduce the learning rate when the monitored metric stalls.

mod config;

use serde::{Deserialize, Serialize};
use wellfit_base::number;

pub use config::{PlateauConfig, ThresholdMode};

use crate::error::require_non_negative;
use crate::metric::{keras_improves, to_f32};
use crate::{Mode, PolicyError, Semantics, pyformat};

/// What one epoch's metric led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateauStep {
    /// The number of metrics seen, this one included.
    pub epoch: u64,
    /// The rate this epoch was trained with.
    pub lr_before: f64,
    /// The rate from now on.
    pub lr_after: f64,
    /// Whether the rate was lowered.
    pub reduced: bool,
    /// Whether this is the best epoch so far.
    pub improved: bool,
    /// Epochs counted as without improvement.
    pub bad_epochs: u32,
    /// Epochs still not to be counted.
    pub cooldown_left: u32,
    /// The best value so far.
    #[serde(with = "number::option", default)]
    pub best: Option<f64>,
}

impl PlateauStep {
    /// torch's classical line, `Epoch 00012: reducing learning rate of group 0 to 5.0000e-04.`, when the
    /// rate was lowered.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let lr = pyformat::exponent(self.lr_after, 4);
        self.reduced.then(|| format!("Epoch {:05}: reducing learning rate of group 0 to {lr}.", self.epoch))
    }
}

/// What the machine remembers between epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The learning rate.
    pub lr: f64,
    /// Metrics seen.
    pub epoch: u64,
    /// The best value so far; `None` before the first improvement.
    #[serde(with = "number::option", default)]
    pub best: Option<f64>,
    /// Epochs counted as without improvement.
    pub bad_epochs: u32,
    /// Epochs still not to be counted.
    pub cooldown_left: u32,
}

/// The machine: one [`observe`](Self::observe) an epoch. Serialise it to resume where it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    config: PlateauConfig,
    state: PlateauState,
}

impl ReduceLrOnPlateau {
    /// A machine that has seen nothing yet and starts at `lr`. Keras keeps the rate as an `f32`, so it is
    /// rounded to one under [`Semantics::Keras`].
    ///
    /// # Errors
    /// As [`PlateauConfig::validate`], or if `lr` is not finite and at least 0.
    pub fn new(config: PlateauConfig, lr: f64) -> Result<Self, PolicyError> {
        config.validate()?;
        require_non_negative(lr, "lr")?;
        let lr = if config.semantics == Semantics::Keras { to_f32(lr) } else { lr };
        let state = PlateauState { lr, epoch: 0, best: None, bad_epochs: 0, cooldown_left: 0 };
        Ok(Self { config, state })
    }

    /// The options.
    #[must_use]
    pub fn config(&self) -> &PlateauConfig {
        &self.config
    }

    /// The memory.
    #[must_use]
    pub fn state(&self) -> &PlateauState {
        &self.state
    }

    /// The learning rate now.
    #[must_use]
    pub fn lr(&self) -> f64 {
        self.state.lr
    }

    /// Takes one epoch's metric.
    pub fn observe(&mut self, metric: f64) -> PlateauStep {
        let lr_before = self.state.lr;
        let improved = self.improves(metric);
        self.state.epoch = self.state.epoch.saturating_add(1);
        if improved {
            self.state.best = Some(metric);
        }
        let reduced = if self.config.semantics == Semantics::Keras {
            self.keras(improved)
        } else {
            self.torch(improved)
        };
        let PlateauState { lr, epoch, best, bad_epochs, cooldown_left } = self.state;
        PlateauStep { epoch, lr_before, lr_after: lr, reduced, improved, bad_epochs, cooldown_left, best }
    }

    /// torch's expressions are kept, so that rounding agrees.
    fn improves(&self, metric: f64) -> bool {
        let PlateauConfig { semantics, mode, threshold, threshold_mode, .. } = self.config;
        if semantics == Semantics::Keras {
            return keras_improves(mode, metric, threshold, self.state.best);
        }
        let best = self.state.best.unwrap_or(mode.worst());
        let bar = match (threshold_mode, mode) {
            (ThresholdMode::Rel, Mode::Min) => best * (1.0 - threshold),
            (ThresholdMode::Rel, Mode::Max) => best * (threshold + 1.0),
            (ThresholdMode::Abs, mode) => mode.improve(best, threshold),
        };
        mode.is_better(metric, bar)
    }

    fn torch(&mut self, improved: bool) -> bool {
        let (config, state) = (&self.config, &mut self.state);
        state.bad_epochs = if improved { 0 } else { state.bad_epochs.saturating_add(1) };
        if state.cooldown_left > 0 {
            state.cooldown_left -= 1;
            state.bad_epochs = 0;
        }
        if state.bad_epochs <= config.patience {
            return false;
        }
        state.cooldown_left = config.cooldown;
        state.bad_epochs = 0;
        let lower = (state.lr * config.factor).max(config.min_lr);
        let reduced = state.lr - lower > config.eps;
        if reduced {
            state.lr = lower;
        }
        reduced
    }

    fn keras(&mut self, improved: bool) -> bool {
        let (config, state) = (&self.config, &mut self.state);
        if state.cooldown_left > 0 {
            state.cooldown_left -= 1;
            state.bad_epochs = 0;
        }
        if improved {
            state.bad_epochs = 0;
            return false;
        }
        if state.cooldown_left > 0 {
            return false;
        }
        state.bad_epochs = state.bad_epochs.saturating_add(1);
        if state.bad_epochs < config.patience || state.lr <= to_f32(config.min_lr) {
            return false;
        }
        state.lr = to_f32((state.lr * config.factor).max(config.min_lr));
        state.cooldown_left = config.cooldown;
        state.bad_epochs = 0;
        true
    }
}
