//! A running average of a network's weights, which generalises better than the weights of any one step (Polyak and
//! Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407).

use crate::Network;
use wellfit_kernels::Buffer;
use wellfit_kernels::average::move_towards;

/// The average of what training changes of a network: trainable parameters and the running statistics of BatchNorm.
/// Nothing is kept of frozen layers.
///
/// As `torch.optim.swa_utils.AveragedModel` with `use_buffers=True`, but for BatchNorm's count of batches, which is the
/// network's own, as in timm's `ModelEmaV3`: an average of counts says nothing.
#[derive(Debug, Clone)]
pub struct AveragedWeights {
    /// A buffer for each parameter, empty for frozen ones.
    parameters: Vec<Buffer>,
    /// Mean and variance of each BatchNorm layer, empty for frozen ones.
    norms: Vec<(Vec<f32>, Vec<f32>)>,
    /// How many times weights were taken into it.
    taken: u64,
}

/// How the weights of a step count in an average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weighting {
    /// Each step's weights count `decay` times as much as those of the next step (`get_ema_multi_avg_fn`). At the
    /// beginning the decay is min(`decay`, (1 + n)/(10 + n)), n being the number of steps taken so far, as TensorFlow's
    /// `ExponentialMovingAverage` with `num_updates`: else a short run would end with the weights it began with. The first
    /// step's weights are taken as they are.
    Exponential {
        /// Below 1, and near it.
        decay: f64,
    },
    /// All count the same (`get_swa_avg_fn`).
    Equal,
}

impl Weighting {
    /// What the average so far keeps when the next weights are taken, `taken` having been taken.
    #[must_use]
    pub fn keeps(self, taken: u64) -> f64 {
        let taken_so_far = taken as f64;
        match self {
            _ if taken == 0 => 0.0,
            Self::Exponential { decay } => decay.min((1.0 + taken_so_far) / (10.0 + taken_so_far)),
            Self::Equal => taken_so_far / (taken_so_far + 1.0),
        }
    }
}

impl AveragedWeights {
    /// The weights as they are now, of which none is counted yet.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        Self::resumed(network, 0)
    }

    /// The average that a network has for weights, into which weights were `taken` so many times.
    #[must_use]
    pub fn resumed(network: &Network, taken: u64) -> Self {
        let kept = |p: &crate::Parameter| if p.trainable { p.value.clone() } else { Buffer::default() };
        let norms = network.norms.iter().map(|norm| {
            if norm.frozen { Default::default() } else { (norm.mean.clone(), norm.variance.clone()) }
        });
        Self { parameters: network.parameters.iter().map(kept).collect(), norms: norms.collect(), taken }
    }

    /// How many times weights were taken into it.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Take the network's weights as they are now.
    pub fn take(&mut self, network: &Network, weighting: Weighting) {
        let share = (1.0 - weighting.keeps(self.taken)) as f32;
        let parts = self.parameters.iter_mut().zip(&network.parameters);
        for (average, parameter) in parts.filter(|(average, _)| !average.is_empty()) {
            move_towards(average, &parameter.value, share);
        }
        let parts = self.norms.iter_mut().zip(&network.norms);
        for ((mean, variance), norm) in parts.filter(|((mean, _), _)| !mean.is_empty()) {
            move_towards(mean, &norm.mean, share);
            move_towards(variance, &norm.variance, share);
        }
        self.taken += 1;
    }

    /// Exchange the average and the network's weights, at no cost: the network then computes with the average, until the
    /// next exchange.
    pub fn exchange(&mut self, network: &mut Network) {
        let parts = self.parameters.iter_mut().zip(&mut network.parameters);
        for (average, parameter) in parts.filter(|(average, _)| !average.is_empty()) {
            std::mem::swap(average, &mut parameter.value);
        }
        let parts = self.norms.iter_mut().zip(&mut network.norms);
        for ((mean, variance), norm) in parts.filter(|((mean, _), _)| !mean.is_empty()) {
            std::mem::swap(mean, &mut norm.mean);
            std::mem::swap(variance, &mut norm.variance);
        }
    }
}
