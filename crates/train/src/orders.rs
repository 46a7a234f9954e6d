//! What the first process tells the others.
//!
//! It alone decides, records and writes; the others hold a copy of the network and the optimiser, and compute their parts of
//! a batch when they are told to.

use crate::accumulation::Accumulated;
use crate::error::TrainError;
use crate::features::{Input, Inputs, Source};
use crate::fit::FitConfig;
use crate::labels::MixedCrossEntropy;
use crate::prepared::{source, trainer};
use crate::session::Session;
use crate::step::Trainer;
use crate::team::Team;
use serde::{Deserialize, Serialize};
use wellfit_cluster::Link;
use wellfit_data::Loader;
use wellfit_models::{Network, Optimizer};
use wellfit_weights::{from_bytes, to_safetensors_bytes};

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Take over the weights and moments that follow; so many stages train, where that is no matter of the settings.
    State { stages: Option<usize> },
    /// Begin an epoch, from 0, with that batch.
    Epoch { epoch: u32, first: usize },
    /// Learn from the next batch.
    Step { lr: f64 },
    /// Begin a validation, with the weights that follow where they are not those that are trained.
    Validate { others: bool },
    /// Answer the next batch of it.
    Answer,
    /// There is nothing more to do.
    End,
}

impl Team {
    /// Tell the others.
    pub(crate) fn tell(&self, order: Order) -> Result<(), TrainError> {
        let Some(link) = &self.link else { return Ok(()) };
        let text = serde_json::to_vec(&order).map_err(|error| TrainError::Position(error.to_string()))?;
        link.broadcast(text)?;
        Ok(())
    }

    /// What the first says.
    fn hear(link: &Link) -> Result<Order, TrainError> {
        let text = link.broadcast(Vec::new())?;
        serde_json::from_slice(&text).map_err(|error| TrainError::Position(error.to_string()))
    }

    /// Give the others bytes, which are only made where there are any.
    fn give(&self, bytes: impl FnOnce() -> Result<Vec<u8>, TrainError>) -> Result<(), TrainError> {
        self.link.as_ref().map_or(Ok(()), |link| Ok(link.broadcast(bytes()?).map(drop)?))
    }
}

fn weights(network: &Network) -> Result<Vec<u8>, TrainError> {
    Ok(to_safetensors_bytes(&network.state())?)
}

impl Session<'_> {
    /// Give the others the network and the optimiser as they are.
    pub(crate) fn share_state(&self) -> Result<(), TrainError> {
        let (team, Trainer { network, optimizer, .. }) = (&self.config.team, &self.trainer);
        team.tell(Order::State { stages: self.at.stages })?;
        team.give(|| weights(network))?;
        team.give(|| Ok(to_safetensors_bytes(&optimizer.state(network))?))
    }

    /// Let the others begin a validation, with the weights as they are here.
    pub(crate) fn share_validation(&self) -> Result<(), TrainError> {
        let (team, others) = (&self.config.team, self.average.is_some());
        team.tell(Order::Validate { others })?;
        if others { team.give(|| weights(&self.trainer.network)) } else { Ok(()) }
    }
}

/// The end of a run, for the others too; `work` is the run.
pub(crate) fn ended<R>(
    config: &FitConfig,
    work: impl FnOnce() -> Result<R, TrainError>,
) -> Result<R, TrainError> {
    let result = work();
    // Where the others are gone, the error of the run says so.
    let _ = config.team.tell(Order::End);
    result
}

/// Compute the part of this process in a run of another one, until that is over. `network` gives the architecture.
///
/// # Errors
/// On bad data, when the device fails, or when another process is gone.
pub fn follow(network: Network, data: (&Loader, &Loader), config: &FitConfig) -> Result<(), TrainError> {
    let Some(link) = &config.team.link else { return Ok(()) };
    let optimizer = Optimizer::new(config.rule, &network);
    let mut follower = Follower { config, link, trainer: trainer(network, optimizer, config) };
    let mut sources = None;
    let mut order = Team::hear(link)?;
    loop {
        order = match (order, &sources) {
            (Order::End, _) => return Ok(()),
            (Order::State { stages }, _) => {
                follower.take_state(stages)?;
                let network = &follower.trainer.network;
                sources = Some((source(data.0, network, config)?, source(data.1, network, config)?));
                Team::hear(link)?
            }
            (Order::Epoch { epoch, first }, Some((train, _))) => follower.train(train, epoch, first)?,
            (Order::Validate { others }, Some((_, validation))) => follower.validate(validation, others)?,
            _ => Team::hear(link)?,
        };
    }
}

/// A process that does what it is told.
struct Follower<'a> {
    config: &'a FitConfig,
    link: &'a Link,
    trainer: Trainer<MixedCrossEntropy>,
}

impl Follower<'_> {
    fn take_state(&mut self, stages: Option<usize>) -> Result<(), TrainError> {
        let Trainer { network, optimizer, .. } = &mut self.trainer;
        network.load(&from_bytes(&self.link.broadcast(Vec::new())?)?, false)?;
        stages.into_iter().for_each(|stages| network.train_stages(stages));
        *optimizer = Optimizer::new(self.config.rule, network);
        Ok(optimizer.load(network, &from_bytes(&self.link.broadcast(Vec::new())?)?)?)
    }

    /// The training pass of an epoch. Gives the order that ends it.
    fn train(&mut self, train: &Source, epoch: u32, first: usize) -> Result<Order, TrainError> {
        let mut inputs = train.epoch(epoch, first);
        let (mut accumulated, mut batch) = (Accumulated::default(), first);
        loop {
            let order = Team::hear(self.link)?;
            let Order::Step { lr } = order else { return Ok(order) };
            let data = next(&mut inputs, &self.trainer.network)?;
            batch += 1;
            let group = (self.config.accumulate, batch == train.batches());
            accumulated.step(&mut self.trainer, &data, group, lr, &mut ())?;
        }
    }

    /// A validation pass. Gives the order that ends it.
    fn validate(&mut self, validation: &Source, others: bool) -> Result<Order, TrainError> {
        let trained = others.then(|| self.trainer.network.clone());
        if others {
            self.trainer.network.load(&from_bytes(&self.link.broadcast(Vec::new())?)?, false)?;
        }
        let mut inputs = validation.epoch(0, 0);
        let end = loop {
            let order = Team::hear(self.link)?;
            let Order::Answer = order else { break order };
            let data = next(&mut inputs, &self.trainer.network)?;
            self.trainer.answers(&data)?;
        };
        trained.into_iter().for_each(|network| self.trainer.network = network);
        Ok(end)
    }
}

/// The next batch, of which the first process has its part, too.
fn next(inputs: &mut Inputs<'_>, network: &Network) -> Result<Input, TrainError> {
    inputs.next(network)?.ok_or_else(|| TrainError::Position("the processes have other data".to_owned()))
}
