//! Early stopping: end a run whose monitored metric no longer improves (Prechelt 1998, "Early stopping –
//! but when?").

mod config;
mod observation;

use serde::{Deserialize, Serialize};
use wellfit_base::number;

pub use config::EarlyStoppingConfig;
pub use observation::{EarlyStoppingReason, Observation};

use crate::metric::{keras_improves, to_f32};
use crate::{PolicyError, Semantics};

/// What the machine remembers between epochs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// Epochs in a row without improvement.
    pub counter: u32,
    /// The best value so far.
    #[serde(with = "number::option", default)]
    pub best: Option<f64>,
    /// Its epoch.
    pub best_epoch: Option<u32>,
}

/// The machine: one [`observe`](Self::observe) an epoch. Serialise it to resume where it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    config: EarlyStoppingConfig,
    state: EarlyStoppingState,
}

impl EarlyStopping {
    /// A machine that has seen nothing yet.
    ///
    /// # Errors
    /// As [`EarlyStoppingConfig::validate`].
    pub fn new(config: EarlyStoppingConfig) -> Result<Self, PolicyError> {
        config.validate()?;
        Ok(Self { config, state: EarlyStoppingState::default() })
    }

    /// The options.
    #[must_use]
    pub fn config(&self) -> &EarlyStoppingConfig {
        &self.config
    }

    /// The memory.
    #[must_use]
    pub fn state(&self) -> &EarlyStoppingState {
        &self.state
    }

    /// Forgets how long the metric has not improved; the best value stays. For a run that goes on after a stop.
    pub fn count_anew(&mut self) {
        self.state.counter = 0;
    }

    /// Takes the metric of `epoch`, counted from 0.
    ///
    /// The thresholds and `check_finite` are looked at first, as in Lightning; an epoch they end is not
    /// counted. Further epochs may be observed after a stop, as in the packages.
    pub fn observe(&mut self, epoch: u32, metric: f64) -> Observation {
        let previous_best = self.state.best;
        let (improved, stop) = self.decide(epoch, self.seen(metric));
        let EarlyStoppingState { counter, best, best_epoch } = self.state;
        Observation { improved, counter, best, previous_best, best_epoch, stop }
    }

    fn decide(&mut self, epoch: u32, metric: f64) -> (bool, Option<EarlyStoppingReason>) {
        if epoch < self.config.start_from_epoch {
            return (false, None);
        }
        if let Some(reason) = self.crossed(metric) {
            return (false, Some(reason));
        }
        self.state.counter = self.state.counter.saturating_add(1);
        if self.improves(metric, self.state.best) {
            self.state.best = Some(metric);
            self.state.best_epoch = Some(epoch);
            let baseline = self.config.baseline;
            if baseline.is_none() || self.improves(metric, baseline) {
                self.state.counter = 0;
            }
            return (true, None);
        }
        (false, self.exhausted())
    }

    /// The metric as the package sees it.
    fn seen(&self, metric: f64) -> f64 {
        if self.config.semantics == Semantics::Lightning { to_f32(metric) } else { metric }
    }

    /// The limits that end a run whatever the counter says.
    fn crossed(&self, value: f64) -> Option<EarlyStoppingReason> {
        let EarlyStoppingConfig { mode, stopping_threshold, divergence_threshold, .. } = self.config;
        if self.config.check_finite && !value.is_finite() {
            return Some(EarlyStoppingReason::NotFinite { value });
        }
        if let Some(threshold) = stopping_threshold.filter(|&limit| mode.is_better(value, self.seen(limit))) {
            return Some(EarlyStoppingReason::StoppingThreshold { value, threshold });
        }
        divergence_threshold
            .filter(|&limit| mode.is_better(self.seen(limit), value))
            .map(|threshold| EarlyStoppingReason::DivergenceThreshold { value, threshold })
    }

    fn improves(&self, metric: f64, reference: Option<f64>) -> bool {
        let mode = self.config.mode;
        let margin = self.margin(reference);
        match self.config.semantics {
            Semantics::Torch | Semantics::Book => reference.map_or(!metric.is_nan(), |reference| {
                let bar = mode.improve(reference, margin);
                metric == bar || mode.is_better(metric, bar)
            }),
            Semantics::Keras => keras_improves(mode, metric, margin, reference),
            Semantics::Lightning => {
                let reference = to_f32(reference.unwrap_or(mode.worst()));
                mode.is_better(to_f32(mode.worsen(metric, to_f32(margin))), reference)
            }
        }
    }

    /// The least change over `reference` that counts. Nothing is a share of infinity.
    fn margin(&self, reference: Option<f64>) -> f64 {
        let EarlyStoppingConfig { min_delta, relative, .. } = self.config;
        match reference {
            Some(reference) if relative && reference.is_finite() => min_delta * reference.abs(),
            _ if relative => 0.0,
            _ => min_delta,
        }
    }

    fn exhausted(&self) -> Option<EarlyStoppingReason> {
        let EarlyStoppingState { counter, best, best_epoch } = self.state;
        (counter >= self.config.patience).then_some(EarlyStoppingReason::Patience {
            epochs: counter,
            best,
            best_epoch,
        })
    }
}
