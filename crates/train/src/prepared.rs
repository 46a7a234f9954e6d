//! What a configuration makes of a network and of data before they are trained.

use crate::error::TrainError;
use crate::features::Source;
use crate::fit::FitConfig;
use crate::labels::MixedCrossEntropy;
use crate::step::Trainer;
use wellfit_data::Loader;
use wellfit_models::{Network, Optimizer};

/// A trainer with a run's settings.
pub(crate) fn trainer(
    network: Network,
    optimizer: Optimizer,
    config: &FitConfig,
) -> Trainer<MixedCrossEntropy> {
    Trainer {
        network,
        optimizer,
        state: None,
        objective: MixedCrossEntropy(config.loss.clone()),
        engine: config.engine.clone(),
        clip_norm: config.clip_norm,
        seed: config.seed,
    }
}

/// The inputs of a network for a part of the data: features where they can be kept.
pub(crate) fn source(loader: &Loader, network: &Network, config: &FitConfig) -> Result<Source, TrainError> {
    let keeps = config.engine.rows_are_independent();
    if keeps { Source::new(loader, network) } else { Ok(Source::images(loader)) }
}
