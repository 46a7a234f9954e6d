//! The policies of a run (early stopping, schedulers, checkpoints), applied after each epoch.

use crate::fit::FitConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wellfit_policy::{
    CheckpointDecision, CheckpointPolicy, EarlyStopping, Observation, PlateauStep, PolicyError,
    ReduceLrOnPlateau,
};
use wellfit_record::{EpochRecord, Metric};

/// The policies that are on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Policies {
    early_stopping: Option<EarlyStopping>,
    plateau: Option<ReduceLrOnPlateau>,
    checkpoint: Option<CheckpointPolicy>,
}

/// Which policies have a say about an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Says {
    /// Early stopping: from the first epoch on that trained the whole network. A head alone that no longer gains says
    /// nothing of the rest.
    pub stopping: bool,
    /// ReduceLROnPlateau: from the end of a warm-up on, as timm's, until weights are averaged; in between the rate is its own.
    pub plateau: bool,
}

/// An epoch's figures, and what follows from them.
#[derive(Debug)]
pub(crate) struct EpochDecisions {
    pub record: EpochRecord,
    /// Whether its validation loss is the lowest so far.
    pub best: bool,
    pub early_stopping: Option<Observation>,
    pub plateau: Option<PlateauStep>,
    pub checkpoint: Option<CheckpointDecision>,
    /// Whether each validation image was answered rightly, where that is recorded.
    pub answered: Option<Vec<bool>>,
}

impl Policies {
    pub(crate) fn new(config: &FitConfig) -> Result<Self, PolicyError> {
        let stopping = config.early_stopping.as_ref();
        Ok(Self {
            early_stopping: stopping.map(|(_, options)| EarlyStopping::new(options.clone())).transpose()?,
            plateau: config
                .lr_scheduler
                .as_ref()
                .map(|(_, options)| ReduceLrOnPlateau::new(options.clone(), config.lr))
                .transpose()?,
            checkpoint: config.checkpoint.clone().map(CheckpointPolicy::new).transpose()?,
        })
    }

    /// The policies of a run that goes on otherwise: those that are the same keep what they have seen.
    pub(crate) fn changed(self, before: &FitConfig, after: &FitConfig) -> Result<Self, PolicyError> {
        let mut changed = Self::new(after)?;
        if before.early_stopping == after.early_stopping {
            changed.early_stopping = self.early_stopping;
        }
        if before.lr_scheduler == after.lr_scheduler && before.lr.to_bits() == after.lr.to_bits() {
            changed.plateau = self.plateau;
        }
        if before.checkpoint == after.checkpoint {
            changed.checkpoint = self.checkpoint;
        }
        Ok(changed)
    }

    /// Early stopping forgets how long the metric has not improved; its best value stays.
    pub(crate) fn count_anew(&mut self) {
        self.early_stopping.iter_mut().for_each(EarlyStopping::count_anew);
    }

    /// Takes an epoch's figures; `best` is whether its validation loss is the lowest so far.
    pub(crate) fn observe(
        &mut self,
        config: &FitConfig,
        epoch: &EpochRecord,
        best: bool,
        says: Says,
    ) -> Result<EpochDecisions, PolicyError> {
        let watched = config.early_stopping.as_ref().map_or(Metric::VAL_LOSS, |(metric, _)| *metric);
        let stalling = config.lr_scheduler.as_ref().map_or(Metric::VAL_LOSS, |(metric, _)| *metric);
        let metrics: BTreeMap<String, f64> =
            epoch.metrics.iter().map(|(metric, value)| (metric.name().to_owned(), value)).collect();
        Ok(EpochDecisions {
            answered: None,
            record: *epoch,
            best,
            early_stopping: self
                .early_stopping
                .as_mut()
                .filter(|_| says.stopping)
                .map(|m| m.observe(epoch.epoch - 1, epoch.value(watched))),
            plateau: self.plateau.as_mut().filter(|_| says.plateau).map(|m| m.observe(epoch.value(stalling))),
            checkpoint: self.checkpoint.as_mut().map(|m| m.observe(epoch.epoch - 1, &metrics)).transpose()?,
        })
    }
}
