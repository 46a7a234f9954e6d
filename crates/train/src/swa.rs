//! Stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407): the mean of the weights that the last epochs end
//! with, as torch's `swa_utils` computes it.

use crate::callback::Callback;
use crate::error::TrainError;
use crate::evaluate::check_interrupted;
use crate::features::Source;
use crate::session::Session;
use wellfit_models::{AveragedWeights, DropoutKey, Weighting};
use wellfit_policy::schedule::SwaRate;

/// From when on weights are averaged, and at which rate they are trained then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swa {
    /// The first epoch, from 1, whose weights count. The schedule ends where it begins.
    pub start: u32,
    /// The rate from there on, by which it leaves the one before; without it, that one stays.
    pub rate: Option<SwaRate>,
}

impl Session<'_> {
    /// How many epochs before the one under way weights began to be averaged; none if they are not yet.
    pub(crate) fn swa_epoch(&self) -> Option<u32> {
        self.config.swa.and_then(|swa| self.epoch().checked_sub(swa.start))
    }

    /// The rate of the step to come, which would be `rate` without averaging.
    pub(crate) fn swa_rate(&self, rate: f64) -> f64 {
        let to = self.config.swa.and_then(|swa| swa.rate);
        to.zip(self.swa_epoch()).map_or(rate, |(to, epoch)| to.at(rate, epoch))
    }

    /// Take the weights at the end of the epoch into the average. A run that was interrupted while it validated them has
    /// done so already.
    pub(crate) fn take_epoch(&mut self) {
        let Some(before) = self.swa_epoch() else { return };
        let network = &self.trainer.network;
        let average = self.average.get_or_insert_with(|| AveragedWeights::of(network));
        if average.taken() <= u64::from(before) {
            average.take(network, Weighting::Equal);
        }
    }

    /// With the average in place of the weights: compute the running statistics of BatchNorm for it, by the epoch's
    /// batches in training mode (torch's `update_bn`).
    pub(crate) fn update_statistics(
        &mut self,
        train: &Source,
        callback: &mut dyn Callback,
    ) -> Result<(), TrainError> {
        if self.swa_epoch().is_none() || !self.trainer.network.has_batch_norm() {
            return Ok(());
        }
        let (epoch, seed, engine) = (self.epoch(), self.config.seed, self.config.engine.clone());
        let mut step = self.trainer.optimizer.step as u32;
        self.trainer.network.recompute_statistics(|network| {
            // By this process alone.
            let train = train.whole();
            let mut inputs = train.epoch(epoch - 1, 0);
            while let Some(data) = inputs.next(network)? {
                step += 1;
                drop(engine.forward(network, &data.values, data.value, DropoutKey { seed, step, row: 0 })?);
                check_interrupted(callback)?;
            }
            Ok(())
        })
    }
}
