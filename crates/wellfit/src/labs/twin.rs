//! A network with its optimiser: what a lab has two of.

use crate::error::CliError;
use wellfit::kernels::loss::Loss;
use wellfit::kernels::optim::Rule;
use wellfit::models::{DropoutKey, Network, Optimizer};

/// One of two networks that are trained alike. Twins share nothing, so they train at the same time.
pub struct Twin {
    pub network: Network,
    optimizer: Optimizer,
    seed: u64,
}

impl Twin {
    /// A twin with the initial weights of `seed`, which dropout follows too.
    pub fn new(mut network: Network, rule: Rule, seed: u64) -> Self {
        network.initialise(seed);
        let optimizer = Optimizer::new(rule, &network);
        Self { network, optimizer, seed }
    }

    /// One training step on `inputs`; `loss_of` judges the outputs. Gives the loss before the step.
    pub fn step(
        &mut self,
        inputs: &[f32],
        lr: f64,
        loss_of: impl FnOnce(&[f32]) -> Loss,
    ) -> Result<f64, CliError> {
        let key = DropoutKey { seed: self.seed, step: self.optimizer.step as u32 + 1 };
        let tape = self.network.forward(inputs, key)?;
        let loss = loss_of(tape.outputs());
        let gradients = self.network.backward(tape, loss.gradient);
        self.optimizer.update(&mut self.network, &gradients, lr);
        Ok(loss.value)
    }
}
