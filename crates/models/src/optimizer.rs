//! An update rule with its moments.

use crate::{Gradients, Network, Parameter};
use wellfit_kernels::Buffer;
use wellfit_kernels::optim::{self, Rule, Scalars};

/// Sees a parameter that moved: its place, its values of before, the parameter after the step, its gradient.
pub type Moved<'a> = dyn FnMut(usize, &[f32], &Parameter, &[f32]) + 'a;

/// Gets a parameter that is to move: its place, itself, its gradient, and what moves it.
type Each<'a> = dyn FnMut(usize, &mut Parameter, &[f32], &mut dyn FnMut(&mut Parameter)) + 'a;

/// Moves a network's parameters along their gradients.
#[derive(Debug, Clone)]
pub struct Optimizer {
    /// The update rule.
    pub rule: Rule,
    /// Steps of the run done.
    pub step: u64,
    /// The step of the run after which this optimiser began: its moments were zero then.
    pub(crate) since: u64,
    /// For each parameter that trains, the step of the run after which it began to.
    pub(crate) begun: Vec<Option<u64>>,
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
        let moments =
            network.parameters.iter().map(|p| fresh(rule, if p.trainable { p.value.len() } else { 0 }));
        let begun = network.parameters.iter().map(|p| p.trainable.then_some(since));
        Self { rule, step: since, since, begun: begun.collect(), moments: moments.collect() }
    }

    /// Let those parameters take part that the network trains by now: without moments, and Adam's correction of the bias
    /// counts their steps from here, as for parameters that a script adds to a torch optimiser. The others go on.
    pub fn join(&mut self, network: &Network) {
        let parts = network.parameters.iter().zip(&mut self.begun).zip(&mut self.moments);
        for ((parameter, begun), moments) in parts {
            if parameter.trainable && begun.is_none() {
                *begun = Some(self.step);
                *moments = fresh(self.rule, parameter.value.len());
            }
        }
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

    /// The numbers of the step under way for the parameter at that place of the network, with learning rate `lr`: the
    /// same on every device.
    #[must_use]
    pub fn scalars(&self, place: usize, parameter: &Parameter, lr: f64) -> Scalars {
        self.rule.scalars(self.steps_of(self.begun[place]), lr * parameter.lr_factor)
    }

    /// Steps of a parameter that has `begun` then.
    fn steps_of(&self, begun: Option<u64>) -> u64 {
        self.step - begun.unwrap_or(self.since)
    }

    /// Steps since it began.
    #[must_use]
    pub fn own_steps(&self) -> u64 {
        self.step - self.since
    }

    /// One step with learning rate `lr`.
    pub fn update(&mut self, network: &mut Network, gradients: &Gradients, lr: f64) {
        self.move_each(network, gradients, lr, &mut |_, parameter, _, update| update(parameter));
    }

    /// [`update`](Self::update) that shows how each parameter moves: `moved` gets its place, its values of before, the
    /// parameter after the step, and its gradient.
    pub fn update_watched(
        &mut self,
        network: &mut Network,
        gradients: &Gradients,
        lr: f64,
        moved: &mut Moved<'_>,
    ) {
        self.move_each(network, gradients, lr, &mut |place, parameter, gradient, update| {
            let before = Buffer::from_slice(&parameter.value);
            update(parameter);
            moved(place, &before, parameter, gradient);
        });
    }

    /// Calls `each` with every parameter that has a gradient, its place, its gradient, and what moves it.
    fn move_each(&mut self, network: &mut Network, gradients: &Gradients, lr: f64, each: &mut Each<'_>) {
        self.step += 1;
        let steps: Vec<u64> = self.begun.iter().map(|&begun| self.steps_of(begun)).collect();
        let parts = network.parameters.iter_mut().zip(&gradients.0).zip(&mut self.moments);
        for (place, (((parameter, gradient), moments), step)) in parts.zip(steps).enumerate() {
            if let Some(gradient) = gradient {
                each(place, parameter, gradient, &mut |parameter| {
                    let lr = lr * parameter.lr_factor;
                    optim::update(&self.rule, step, lr, &mut parameter.value, gradient, moments);
                });
            }
        }
    }
}

/// The moments of a parameter of `len` numbers before its first step.
fn fresh(rule: Rule, len: usize) -> Vec<Buffer> {
    (0..rule.moments()).map(|_| Buffer::zeroed(len)).collect()
}
