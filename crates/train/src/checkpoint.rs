//! What a checkpoint holds, and how a run continues from it.

use crate::error::TrainError;
use crate::fit::FitConfig;
use crate::position::Position;
use crate::session::Session;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;
use wellfit_models::{AveragedWeights, Network, Optimizer};
use wellfit_record::{CheckpointInfo, FixedFile, LoadedCheckpoint, Phase, RunInfo, RunWriter};
use wellfit_weights::{Fault, WeightFile, from_bytes, to_safetensors_bytes};

/// The checkpoint that a run continues from. It needs no other.
pub const LAST: &str = "last";
/// The checkpoint with the best epoch's weights.
pub const BEST: &str = "best";
/// The file of the weights in a checkpoint of a run that trains them all.
const MODEL: &str = "model.safetensors";
/// The file of what training changes, where part of the weights is frozen.
const TRAINED: &str = "trained.safetensors";
/// The file of the frozen part. Neither file is named like a model's, since neither is a whole model.
const FROZEN: &str = "frozen.safetensors";
/// The optimiser's moments.
const OPTIMIZER: &str = "optimizer.safetensors";
/// The average of what training changes, where one is kept.
const AVERAGE: &str = "average.safetensors";
/// Everything else: see [`Position`].
const POSITION: &str = "position.json";
/// The best epoch's weights without the frozen ones, where these are not the current ones.
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

/// The frozen part of a network's weights as a file, if anything is frozen.
pub(crate) fn frozen_file(network: &Network, config: &FitConfig) -> Result<Option<FixedFile>, Fault> {
    let frozen = WeightFile { metadata: config.metadata.clone(), ..network.frozen_state() };
    if frozen.arrays.is_empty() {
        return Ok(None);
    }
    Ok(Some(FixedFile::new(FROZEN, to_safetensors_bytes(&frozen)?)))
}

/// The weights in a checkpoint of a run, the frozen ones included, under torch's names: their average where one is kept,
/// since that is what was judged.
///
/// # Errors
/// [`TrainError::NoWeights`] when there are none, or they cannot be read.
pub fn checkpoint_weights(checkpoint: &LoadedCheckpoint) -> Result<WeightFile, TrainError> {
    let files = &checkpoint.files;
    let weights = if files.contains_key(AVERAGE) { whole(files, AVERAGE) } else { model_in(files) };
    weights.map_err(|problem| TrainError::NoWeights { path: checkpoint.checkpoint.path.clone(), problem })
}

type Files = BTreeMap<String, Vec<u8>>;

/// The arrays that a checkpoint holds.
struct Held {
    model: WeightFile,
    optimizer: WeightFile,
    /// The best epoch's weights, where these are not the current ones.
    best: Option<WeightFile>,
    /// The average of the weights, where one is kept.
    average: Option<WeightFile>,
    /// Whether part of the weights was frozen.
    frozen: bool,
}

fn model_in(files: &Files) -> Result<WeightFile, String> {
    whole(files, if files.contains_key(FROZEN) { TRAINED } else { MODEL })
}

/// The weights in that file and the frozen ones.
fn whole(files: &Files, name: &str) -> Result<WeightFile, String> {
    let mut weights = weights_in(files, name)?;
    if files.contains_key(FROZEN) {
        weights.arrays.append(&mut weights_in(files, FROZEN)?.arrays);
    }
    Ok(weights)
}

fn weights_in(files: &Files, name: &str) -> Result<WeightFile, String> {
    from_bytes(bytes_of(files, name)?).map_err(|fault| format!("{name}: {fault}"))
}

fn bytes_of<'f>(files: &'f Files, name: &str) -> Result<&'f [u8], String> {
    files.get(name).map(|bytes| &bytes[..]).ok_or_else(|| format!("it has no {name}"))
}

impl<'a> Session<'a> {
    /// Commit the end of an epoch, whose weights may be the best.
    pub(crate) fn commit_epoch(&mut self, best: bool, run: &mut RunWriter) -> Result<(), TrainError> {
        self.trainer.download()?;
        let model = self.weights(&self.trainer.network)?;
        let average = self.average_file()?;
        if best {
            let judged = (self.model(), average.as_ref().map_or(&model[..], |average| average));
            run.checkpoint_beside(0, BEST, &[judged], self.frozen.as_ref(), self.info())?;
        }
        self.commit_last((&model, average.as_deref()), run)
    }

    /// Commit the state as it is now.
    pub(crate) fn commit(&mut self, run: &mut RunWriter) -> Result<(), TrainError> {
        self.trainer.download()?;
        let (model, average) = (self.weights(&self.trainer.network)?, self.average_file()?);
        self.commit_last((&model, average.as_deref()), run)
    }

    fn average_file(&mut self) -> Result<Option<Vec<u8>>, TrainError> {
        if self.average.is_none() {
            return Ok(None);
        }
        self.with_average(|session| session.weights(&session.trainer.network)).map(Some)
    }

    fn commit_last(
        &mut self,
        (model, average): (&[u8], Option<&[u8]>),
        run: &mut RunWriter,
    ) -> Result<(), TrainError> {
        self.at.seconds = self.seconds();
        self.at.averaged = self.average.as_ref().map_or(0, AveragedWeights::taken);
        let position =
            serde_json::to_vec(&self.at).map_err(|error| TrainError::Position(error.to_string()))?;
        let optimizer = to_safetensors_bytes(&self.trainer.optimizer.state(&self.trainer.network))?;
        let mut files = vec![(self.model(), model), (OPTIMIZER, &optimizer[..]), (POSITION, &position[..])];
        files.extend(average.map(|average| (AVERAGE, average)));
        let best =
            self.best.as_ref().filter(|_| !self.at.is_best()).map(|best| self.weights(best)).transpose()?;
        files.extend(best.as_ref().map(|best| (BEST_MODEL, &best[..])));
        run.checkpoint_beside(self.config.keep, LAST, &files, self.frozen.as_ref(), self.info())?;
        self.saved = Instant::now();
        Ok(())
    }

    /// The name of the file of the current weights.
    fn model(&self) -> &'static str {
        if self.frozen.is_some() { TRAINED } else { MODEL }
    }

    /// What training changes of a network's weights: all, if nothing is frozen.
    fn weights(&self, network: &Network) -> Result<Vec<u8>, TrainError> {
        let metadata = self.config.metadata.clone();
        Ok(to_safetensors_bytes(&WeightFile { metadata, ..network.trained_state() })?)
    }

    fn info(&self) -> CheckpointInfo {
        let figures = self.at.epochs.last().map(|record| record.metrics).unwrap_or_default();
        let validated = figures.iter().filter(|(metric, _)| metric.phase == Phase::Validate);
        let metrics = validated.map(|(metric, value)| (metric.name().to_owned(), value)).collect();
        CheckpointInfo { epoch: self.epoch() - 1, step: self.trainer.optimizer.step, metrics }
    }

    /// The session as it was when `checkpoint` was committed; `network` gives the architecture.
    pub(crate) fn restore(
        network: Network,
        config: &'a FitConfig,
        checkpoint: &LoadedCheckpoint,
    ) -> Result<Self, TrainError> {
        let path = || checkpoint.checkpoint.path.clone();
        let files = &checkpoint.files;
        let (at, weights) = Self::read(files, config)
            .map_err(|problem| TrainError::NotResumable { path: path(), problem })?;
        Self::from_parts(at, &weights, network, config).map_err(|error| match error {
            TrainError::Model(error) => TrainError::NoWeights { path: path(), problem: error.to_string() },
            error => error,
        })
    }

    /// What the files hold, not yet compared with a network.
    fn read(files: &Files, config: &FitConfig) -> Result<(Position, Held), String> {
        let position = bytes_of(files, POSITION)?;
        let at: Position =
            serde_json::from_slice(position).map_err(|error| format!("{POSITION}: {error}"))?;
        at.check().map_err(|problem| format!("{POSITION}: {problem}"))?;
        let best = at.best.filter(|_| !at.is_best()).map(|_| whole(files, BEST_MODEL)).transpose()?;
        let average = config.averaging.map(|_| whole(files, AVERAGE)).transpose()?;
        let frozen = files.contains_key(FROZEN);
        let (model, optimizer) = (model_in(files)?, weights_in(files, OPTIMIZER)?);
        let held = Held { model, optimizer, best, average, frozen };
        Ok((at, held))
    }

    fn from_parts(
        at: Position,
        held: &Held,
        mut network: Network,
        config: &'a FitConfig,
    ) -> Result<Self, TrainError> {
        network.load(&held.model, false)?;
        if config.freeze_epochs > 0 && !held.frozen {
            network.unfreeze();
        }
        let mut optimizer = Optimizer::new(config.rule, &network);
        optimizer.load(&network, &held.optimizer)?;
        let mut averaged = held.average.as_ref().map(|_| network.clone());
        if let (Some(averaged), Some(file)) = (&mut averaged, &held.average) {
            averaged.load(file, false)?;
        }
        let average = averaged.as_ref().map(|averaged| AveragedWeights::resumed(averaged, at.averaged));
        let mut best = at.best.map(|_| averaged.as_ref().unwrap_or(&network).clone());
        if let (Some(best), Some(file)) = (&mut best, &held.best) {
            best.load(file, false)?;
        }
        Ok(Self::at(at, network, (optimizer, average), best, config)?)
    }
}
