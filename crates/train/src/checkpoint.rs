//! What a checkpoint holds, and going back to it.

use crate::error::TrainError;
use crate::fit::FitConfig;
use crate::session::{PassSoFar, Position, Session};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;
use wellfit_models::{Network, Optimizer};
use wellfit_record::{CheckpointInfo, LoadedCheckpoint, RunInfo, RunWriter};
use wellfit_weights::{WeightFile, from_bytes, to_safetensors_bytes};

/// The checkpoint that a run goes on from. It needs no other.
pub const LAST: &str = "last";
/// The checkpoint with the best epoch's weights.
pub const BEST: &str = "best";
/// The file of the weights in a checkpoint.
const MODEL: &str = "model.safetensors";
/// The optimiser's memory.
const OPTIMIZER: &str = "optimizer.safetensors";
/// Everything else: see [`Position`].
const POSITION: &str = "position.json";
/// The best epoch's weights, where these are not the model's.
const BEST_MODEL: &str = "best.safetensors";

/// What travels with the weights: architecture, class names and preprocessing, as JSON strings where they
/// are more than a word.
#[must_use]
pub fn model_metadata(info: &RunInfo) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("format".to_owned(), "pt".to_owned()),
        ("model".to_owned(), info.model.name.clone()),
        ("classes".to_owned(), json(&info.classes)),
        ("transform".to_owned(), json(&info.transform)),
        ("wellfit_version".to_owned(), info.wellfit_version.clone()),
    ])
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A network's weights as a file with that metadata.
#[must_use]
pub fn model_file(network: &Network, metadata: &BTreeMap<String, String>) -> WeightFile {
    WeightFile { metadata: metadata.clone(), ..network.state() }
}

impl<'a> Session<'a> {
    /// Commit the end of an epoch, whose weights may be the best.
    pub(crate) fn commit_epoch(&mut self, best: bool, run: &mut RunWriter) -> Result<(), TrainError> {
        let model = self.weights(&self.network)?;
        if best {
            run.checkpoint(BEST, &[(MODEL, &model)], self.info())?;
        }
        self.commit_last(&model, run)
    }

    /// Commit the state as it is now.
    pub(crate) fn commit(&mut self, run: &mut RunWriter) -> Result<(), TrainError> {
        self.commit_last(&self.weights(&self.network)?, run)
    }

    fn commit_last(&mut self, model: &[u8], run: &mut RunWriter) -> Result<(), TrainError> {
        self.at.seconds = self.seconds();
        let position =
            serde_json::to_vec(&self.at).map_err(|error| TrainError::Position(error.to_string()))?;
        let optimizer = to_safetensors_bytes(&self.optimizer.state(&self.network))?;
        let mut files = vec![(MODEL, model), (OPTIMIZER, &optimizer[..]), (POSITION, &position[..])];
        let best =
            self.best.as_ref().filter(|_| !self.at.is_best()).map(|best| self.weights(best)).transpose()?;
        files.extend(best.as_ref().map(|best| (BEST_MODEL, &best[..])));
        run.checkpoint_beside(self.config.keep, LAST, &files, self.info())?;
        self.saved = Instant::now();
        Ok(())
    }

    fn weights(&self, network: &Network) -> Result<Vec<u8>, TrainError> {
        Ok(to_safetensors_bytes(&model_file(network, &self.config.metadata))?)
    }

    fn info(&self) -> CheckpointInfo {
        let metrics = self.at.epochs.last().map_or_else(BTreeMap::new, |record| {
            let figure = |name: &str, value| (name.to_owned(), value);
            [figure("val_loss", record.val_loss), figure("val_accuracy", record.val_accuracy)].into()
        });
        CheckpointInfo { epoch: self.epoch() - 1, step: self.optimizer.step, metrics }
    }

    /// The session as it was when `checkpoint` was committed; `network` gives the architecture.
    pub(crate) fn restore(
        network: Network,
        config: &'a FitConfig,
        checkpoint: &LoadedCheckpoint,
    ) -> Result<Self, TrainError> {
        Self::from_files(network, config, &checkpoint.files)
            .map_err(|problem| TrainError::NotResumable { path: checkpoint.checkpoint.path.clone(), problem })
    }

    fn from_files(
        mut network: Network,
        config: &'a FitConfig,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, String> {
        let file = |name: &str| files.get(name).ok_or_else(|| format!("it has no {name}"));
        let weights = |bytes: &[u8]| from_bytes(bytes).map_err(|fault| fault.to_string());
        let at: Position =
            serde_json::from_slice(file(POSITION)?).map_err(|error| format!("{POSITION}: {error}"))?;
        at.check()?;
        network.load(&weights(file(MODEL)?)?, false).map_err(|error| error.to_string())?;
        let mut optimizer = Optimizer::new(config.rule, &network);
        optimizer.load(&network, &weights(file(OPTIMIZER)?)?).map_err(|error| error.to_string())?;
        let mut best = at.best.map(|_| network.clone());
        if let Some(best) = best.as_mut().filter(|_| !at.is_best()) {
            best.load(&weights(file(BEST_MODEL)?)?, false).map_err(|error| error.to_string())?;
        }
        Ok(Self::at(at, network, optimizer, best, config))
    }
}

impl Position {
    /// Whether the weights here are the best epoch's.
    fn is_best(&self) -> bool {
        let PassSoFar { batches, .. } = self.pass;
        batches == 0 && self.best.is_some_and(|place| place + 1 == self.epochs.len())
    }

    fn check(&self) -> Result<(), String> {
        match self.best {
            Some(place) if place >= self.epochs.len() => {
                Err(format!("{POSITION}: there is no best epoch {place}"))
            }
            _ => Ok(()),
        }
    }
}
