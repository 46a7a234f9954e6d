//! What a checkpoint holds.

use crate::error::TrainError;
use crate::policies::Policies;
use serde::Serialize;
use std::collections::BTreeMap;
use wellfit_models::{Network, Optimizer};
use wellfit_record::{CheckpointInfo, EpochRecord, RunInfo, RunWriter};
use wellfit_weights::{WeightFile, to_safetensors_bytes};

/// The file of the weights in a checkpoint.
pub(crate) const MODEL: &str = "model.safetensors";

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

/// Everything needed to go on from the end of an epoch, besides the weights.
#[derive(Serialize)]
struct Position<'a> {
    epoch: u32,
    step: u64,
    lr: f64,
    policies: &'a Policies,
}

/// Commit the state at the end of an epoch as `last`, and its weights as `best` if they are.
pub(crate) fn commit(
    run: &mut RunWriter,
    network: &Network,
    optimizer: &Optimizer,
    policies: &Policies,
    metadata: &BTreeMap<String, String>,
    (record, lr, best): (&EpochRecord, f64, bool),
) -> Result<(), TrainError> {
    let model = to_safetensors_bytes(&model_file(network, metadata))?;
    let metrics = BTreeMap::from([
        ("val_loss".to_owned(), record.val_loss),
        ("val_accuracy".to_owned(), record.val_accuracy),
    ]);
    let info = CheckpointInfo { epoch: record.epoch, step: record.step, metrics };
    if best {
        run.checkpoint("best", &[(MODEL, &model)], info.clone())?;
    }
    let optimizer = to_safetensors_bytes(&optimizer.state(network))?;
    let position = Position { epoch: record.epoch, step: record.step, lr, policies };
    let position = serde_json::to_vec(&position).unwrap_or_default();
    let files =
        [(MODEL, &model[..]), ("optimizer.safetensors", &optimizer[..]), ("position.json", &position[..])];
    run.checkpoint("last", &files, info)?;
    Ok(())
}
