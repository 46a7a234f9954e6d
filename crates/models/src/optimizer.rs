//! An update rule with its moments.

use crate::{Gradients, Network, Parameter};
use wellfit_kernels::Buffer;
use wellfit_kernels::optim::{self, Rule, Scalars};

/// Moves a network's parameters along their gradients.
#[derive(Debug, Clone)]
pub struct Optimizer {
    /// The update rule.
    pub rule: Rule,
    /// Steps of the run done.
    pub step: u64,
    /// The step of the run after which this optimiser began: its moments were zero then.
    pub(crate) since: u64,
    /// For each parameter, its moments (such as Adam's m and v).
    pub(crate) moments: Vec<Vec<Buffer>>,
}

impl Optimizer {
    /// An optimiser before its first step.
    #[must_use]
    pub fn new(rule: Rule, network: &Network) -> Self {
        Self::after(0, rule, network)
    }

    /// A fresh optimiser in a run that has done `since` steps, as a script makes one for its second stage: no moments
    /// yet, and Adam's correction of their bias counts from here.
    #[must_use]
    pub fn after(since: u64, rule: Rule, network: &Network) -> Self {
        let memory = |len: usize| (0..rule.moments()).map(|_| Buffer::zeroed(len)).collect();
        let moments =
            network.parameters.iter().map(|p| memory(if p.trainable { p.value.len() } else { 0 })).collect();
        Self { rule, step: since, since, moments }
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

    /// The numbers of the step under way for a parameter, with learning rate `lr`: the same on every device.
    #[must_use]
    pub fn scalars(&self, parameter: &Parameter, lr: f64) -> Scalars {
        self.rule.scalars(self.own_steps(), lr * parameter.lr_factor)
    }

    /// Steps since it began.
    #[must_use]
    pub fn own_steps(&self) -> u64 {
        self.step - self.since
    }

    /// One step with learning rate `lr`.
    pub fn update(&mut self, network: &mut Network, gradients: &Gradients, lr: f64) {
        self.step += 1;
        let step = self.own_steps();
        let parts = network.parameters.iter_mut().zip(&gradients.0).zip(&mut self.moments);
        for ((parameter, gradient), moments) in parts {
            if let Some(gradient) = gradient {
                let lr = lr * parameter.lr_factor;
                optim::update(&self.rule, step, lr, &mut parameter.value, gradient, moments);
            }
        }
    }
}
