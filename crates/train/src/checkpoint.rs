//! What a checkpoint holds, and how a run continues from it.

use crate::error::TrainError;
use crate::fit::FitConfig;
use crate::position::Position;
use crate::session::Session;
use crate::step::Trainer;
use crate::unfreezing::thaw;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;
use wellfit_models::{AveragedWeights, Network, Optimizer};
use wellfit_policy::CheckpointDecision;
use wellfit_record::{Blob, CheckpointInfo, Commit, LoadedCheckpoint, Phase, RunInfo, RunWriter, Write};
use wellfit_weights::{Fault, WeightFile, from_bytes, to_safetensors_bytes};

/// The checkpoint that a run continues from. It needs no other.
pub const LAST: &str = "last";
/// The checkpoint with the best epoch's weights.
pub const BEST: &str = "best";
/// The file of the weights in a checkpoint of a run that trains them all.
pub(crate) const MODEL: &str = "model.safetensors";
/// The file of what training changes, where part of the weights is frozen.
pub(crate) const TRAINED: &str = "trained.safetensors";
/// The file of the frozen part. Neither file is named like a model's, since neither is a whole model.
pub(crate) const FROZEN: &str = "frozen.safetensors";
/// The optimiser's moments.
const OPTIMIZER: &str = "optimizer.safetensors";
/// The average of what training changes, where one is kept.
pub(crate) const AVERAGE: &str = "average.safetensors";
/// Everything else: see [`Position`].
pub(crate) const POSITION: &str = "position.json";
/// The best epoch's weights without the frozen ones, where these are not the current ones.
pub(crate) const BEST_MODEL: &str = "best.safetensors";

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
pub(crate) fn frozen_file(network: &Network, config: &FitConfig) -> Result<Option<Blob>, Fault> {
    let frozen = WeightFile { metadata: config.metadata.clone(), ..network.frozen_state() };
    if frozen.arrays.is_empty() {
        return Ok(None);
    }
    Ok(Some(Blob::new(to_safetensors_bytes(&frozen)?)))
}

/// The file of what training changes of a network's weights: all, if nothing is frozen. It is made in `memory`.
pub(crate) fn trained_file(
    network: &Network,
    config: &FitConfig,
    mut memory: Vec<u8>,
) -> Result<Blob, Fault> {
    network.write_trained_state(&config.metadata, &mut memory)?;
    Ok(Blob::new(memory))
}

/// Give a network what is in a file that [`trained_file`] made; its frozen weights stay.
pub(crate) fn load_trained(network: &mut Network, file: &Blob) -> Result<(), TrainError> {
    let mut weights = from_bytes(file.bytes())?;
    weights.arrays.append(&mut network.frozen_state().arrays);
    network.load(&weights, false)?;
    Ok(())
}

/// The files that the last commit was made of, kept for their memory: when it is done, the next copy of the state goes
/// there, so a run has one copy besides the best weights.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    model: Option<Blob>,
    optimizer: Option<Blob>,
}

/// The memory of a copy that nothing else needs.
fn memory(copy: &mut Option<Blob>) -> Vec<u8> {
    copy.take().and_then(Blob::into_bytes).unwrap_or_default()
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

/// Whether a run of so many epochs was over when the checkpoint was taken.
#[must_use]
pub fn is_over(checkpoint: &LoadedCheckpoint, epochs: u32) -> bool {
    let position = checkpoint.files.get(POSITION).and_then(|bytes| serde_json::from_slice(bytes).ok());
    position.is_some_and(|at: Position| at.stop.is_some() || at.epochs.len() >= epochs as usize)
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
    /// Begin to commit the end of an epoch, whose weights may be the best, and to write the file that the Keras-style
    /// checkpoint asks for.
    pub(crate) fn commit_epoch(
        &mut self,
        best: bool,
        keras: Option<&CheckpointDecision>,
        run: &mut RunWriter,
    ) -> Result<(), TrainError> {
        let model = self.copy_weights(run)?;
        let average = self.copy_average()?;
        let judged = average.as_ref().unwrap_or(&model);
        let mut writes = Vec::new();
        if best {
            self.best = Some(judged.clone());
            let files = self.with_frozen(vec![(self.model().to_owned(), judged.clone())]);
            writes.push(Write::Checkpoint(Commit {
                name: BEST.to_owned(),
                keep: 0,
                files,
                info: self.info(),
            }));
        }
        // Before `last`, so that a run which goes on from there has it.
        if let Some(decision) = keras.filter(|decision| decision.save) {
            let whole = if self.frozen.is_none() {
                judged.clone()
            } else {
                let metadata = &self.config.metadata;
                let file = self.with_average(|session| model_file(&session.trainer.network, metadata));
                Blob::new(to_safetensors_bytes(&file)?)
            };
            writes.push(Write::File(decision.path.clone(), whole));
        }
        self.commit_last(model, average, writes, run)
    }

    /// Begin to commit the state as it is now.
    pub(crate) fn commit(&mut self, run: &mut RunWriter) -> Result<(), TrainError> {
        let model = self.copy_weights(run)?;
        let average = self.copy_average()?;
        self.commit_last(model, average, Vec::new(), run)
    }

    /// A copy of the average of the weights, where one is kept.
    fn copy_average(&mut self) -> Result<Option<Blob>, TrainError> {
        if self.average.is_none() {
            return Ok(None);
        }
        let copy = |session: &mut Self| trained_file(&session.trainer.network, session.config, Vec::new());
        Ok(Some(self.with_average(copy)?))
    }

    fn commit_last(
        &mut self,
        model: Blob,
        average: Option<Blob>,
        mut writes: Vec<Write>,
        run: &mut RunWriter,
    ) -> Result<(), TrainError> {
        self.at.seconds = self.seconds();
        self.at.averaged = self.average.as_ref().map_or(0, AveragedWeights::taken);
        let position =
            serde_json::to_vec(&self.at).map_err(|error| TrainError::Position(error.to_string()))?;
        let Trainer { network, optimizer: moments, .. } = &self.trainer;
        let mut bytes = memory(&mut self.copies.optimizer);
        moments.write_state(network, &mut bytes)?;
        let optimizer = Blob::new(bytes);
        self.copies = Copies { model: Some(model.clone()), optimizer: Some(optimizer.clone()) };
        let mut files = vec![(self.model(), model), (OPTIMIZER, optimizer), (POSITION, Blob::new(position))];
        files.extend(average.map(|average| (AVERAGE, average)));
        files.extend(self.best.clone().filter(|_| !self.at.is_best()).map(|best| (BEST_MODEL, best)));
        let files = files.into_iter().map(|(name, blob)| (name.to_owned(), blob)).collect();
        let (files, info) = (self.with_frozen(files), self.info());
        writes.push(Write::Checkpoint(Commit { name: LAST.to_owned(), keep: self.config.keep, files, info }));
        self.saved = Instant::now();
        Ok(run.begin(writes)?)
    }

    /// A copy of the weights. The commit before is waited for, which may still need the memory.
    fn copy_weights(&mut self, run: &mut RunWriter) -> Result<Blob, TrainError> {
        run.settle()?;
        self.trainer.download()?;
        Ok(trained_file(&self.trainer.network, self.config, memory(&mut self.copies.model))?)
    }

    /// The name of the file of the current weights.
    fn model(&self) -> &'static str {
        if self.frozen.is_some() { TRAINED } else { MODEL }
    }

    fn with_frozen(&self, mut files: Vec<(String, Blob)>) -> Vec<(String, Blob)> {
        files.extend(self.frozen.iter().map(|frozen| (FROZEN.to_owned(), frozen.clone())));
        files
    }

    fn info(&self) -> CheckpointInfo {
        let figures = self.at.epochs.last().map(|record| record.metrics).unwrap_or_default();
        let validated = figures.iter().filter(|(metric, _)| metric.phase == Phase::Validate);
        let metrics = validated.map(|(metric, value)| (metric.name().to_owned(), value)).collect();
        CheckpointInfo { epoch: self.epoch() - 1, step: self.trainer.optimizer.step, metrics }
    }

    /// The session as it was when `checkpoint` was committed; `network` gives the architecture, and an epoch has so many
    /// batches.
    pub(crate) fn restore(
        network: Network,
        config: &'a FitConfig,
        batches: usize,
        checkpoint: &LoadedCheckpoint,
    ) -> Result<Self, TrainError> {
        let path = || checkpoint.checkpoint.path.clone();
        let files = &checkpoint.files;
        let (at, weights) = Self::read(files, config, batches)
            .map_err(|problem| TrainError::NotResumable { path: path(), problem })?;
        Self::from_parts(at, &weights, network, config).map_err(|error| match error {
            TrainError::Model(error) => TrainError::NoWeights { path: path(), problem: error.to_string() },
            error => error,
        })
    }

    /// What the files hold, not yet compared with a network.
    fn read(files: &Files, config: &FitConfig, batches: usize) -> Result<(Position, Held), String> {
        let position = bytes_of(files, POSITION)?;
        let at: Position =
            serde_json::from_slice(position).map_err(|error| format!("{POSITION}: {error}"))?;
        at.check(batches).map_err(|problem| format!("{POSITION}: {problem}"))?;
        let best = at.best.filter(|_| !at.is_best()).map(|_| whole(files, BEST_MODEL)).transpose()?;
        let averages = config.averaging.is_some() || at.averaged > 0;
        let average = averages.then(|| whole(files, AVERAGE)).transpose()?;
        let frozen = files.contains_key(FROZEN);
        let (model, optimizer) = (model_in(files)?, weights_in(files, OPTIMIZER)?);
        let step =
            Optimizer::steps_in(&optimizer).ok_or_else(|| format!("{OPTIMIZER}: no count of steps"))?;
        at.check_step(step, config.accumulate).map_err(|problem| format!("{OPTIMIZER}: {problem}"))?;
        let held = Held { model, optimizer, best, average, frozen };
        Ok((at, held))
    }

    fn from_parts(
        mut at: Position,
        held: &Held,
        mut network: Network,
        config: &'a FitConfig,
    ) -> Result<Self, TrainError> {
        network.load(&held.model, false)?;
        if config.freeze_epochs > 0 && network.stages() > 0 {
            at.stages = Some(thaw(&mut network, at.stages, held.frozen));
        }
        let mut optimizer = Optimizer::new(config.rule, &network);
        optimizer.load(&network, &held.optimizer)?;
        let mut averaged = held.average.as_ref().map(|_| network.clone());
        if let (Some(averaged), Some(file)) = (&mut averaged, &held.average) {
            averaged.load(file, false)?;
        }
        let average = averaged.as_ref().map(|averaged| AveragedWeights::resumed(averaged, at.averaged));
        let best = match (&at.best, &held.best) {
            (None, _) => None,
            (Some(_), None) => Some(trained_file(averaged.as_ref().unwrap_or(&network), config, Vec::new())?),
            (Some(_), Some(file)) => {
                let mut best = network.clone();
                best.load(file, false)?;
                Some(trained_file(&best, config, Vec::new())?)
            }
        };
        Ok(Self::at(at, network, (optimizer, average), best, config)?)
    }
}
