//! What a configuration makes of a network and of data before they are trained.

use crate::error::TrainError;
use crate::features::Source;
use crate::fit::FitConfig;
use crate::labels::MixedCrossEntropy;
use crate::statistics::JudgedTraining;
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
        team: config.team.clone(),
    }
}

/// The data of a run as inputs of its network.
#[derive(Debug)]
pub(crate) struct Sources {
    /// What is trained on.
    pub train: Source,
    /// What judges an epoch.
    pub validation: Source,
    /// Training images that are judged as well, where statistics are recorded.
    pub judged: Option<JudgedTraining>,
}

impl Sources {
    /// For `network` as it is: features where they can be kept.
    pub fn new(
        (train, validation): (&Loader, &Loader),
        network: &Network,
        config: &FitConfig,
    ) -> Result<Self, TrainError> {
        let of = |loader: &Loader| source(loader, network, config);
        Ok(Self {
            train: of(train)?,
            validation: of(validation)?,
            // By this process alone.
            judged: JudgedTraining::new(train, config, |loader| whole(loader, network, config))?,
        })
    }
}

/// The inputs of a network for a part of the data: features where they can be kept.
pub(crate) fn source(loader: &Loader, network: &Network, config: &FitConfig) -> Result<Source, TrainError> {
    whole(&loader.clone().sharded(config.team.shards()), network, config)
}

/// The same without a part in it for other processes, unless the loader is sharded.
fn whole(loader: &Loader, network: &Network, config: &FitConfig) -> Result<Source, TrainError> {
    let keeps = config.engine.rows_are_independent();
    if keeps { Source::new(loader, network) } else { Ok(Source::images(loader)) }
}
