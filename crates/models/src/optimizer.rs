//! An update rule with its moments.

use crate::{Gradients, Network};
use wellfit_kernels::Buffer;
use wellfit_kernels::optim::{self, Rule};

/// Moves a network's parameters along their gradients.
#[derive(Debug, Clone)]
pub struct Optimizer {
    /// The update rule.
    pub rule: Rule,
    /// Steps done.
    pub step: u64,
    /// For each parameter, its moments (such as Adam's m and v).
    pub(crate) moments: Vec<Vec<Buffer>>,
}

impl Optimizer {
    /// An optimiser before its first step.
    #[must_use]
    pub fn new(rule: Rule, network: &Network) -> Self {
        let memory = |len: usize| (0..rule.moments()).map(|_| Buffer::zeroed(len)).collect();
        let moments =
            network.parameters.iter().map(|p| memory(if p.trainable { p.value.len() } else { 0 })).collect();
        Self { rule, step: 0, moments }
    }

    /// The moments of each parameter, such as Adam's m and v, in the parameter's layout; empty for frozen ones.
    #[must_use]
    pub fn moments(&self) -> &[Vec<Buffer>] {
        &self.moments
    }

    /// The same, to be written. Lengths must stay as they are.
    pub fn moments_mut(&mut self) -> &mut [Vec<Buffer>] {
        &mut self.moments
    }

    /// One step with learning rate `lr`.
    pub fn update(&mut self, network: &mut Network, gradients: &Gradients, lr: f64) {
        self.step += 1;
        let parts = network.parameters.iter_mut().zip(&gradients.0).zip(&mut self.moments);
        for ((parameter, gradient), moments) in parts {
            if let Some(gradient) = gradient {
                optim::update(&self.rule, self.step, lr, &mut parameter.value, gradient, moments);
            }
        }
    }
}
