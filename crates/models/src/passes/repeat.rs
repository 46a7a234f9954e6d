//! A training pass that leaves no trace: for what is measured of a step besides its gradients.

use super::DropoutKey;
use crate::ModelError;
use crate::graph::{Network, Node, Value};
use crate::ops::Op;
use crate::plan::{Mode, Precision, Request};
use wellfit_kernels::{Bf16, Buffer, Element, elementwise};

/// What a repeated pass computed.
#[derive(Debug)]
pub struct Repeated {
    /// The network's outputs `[N, classes]`.
    pub outputs: Buffer,
    /// For each of [`Network::relus`] how much of it is silent; none where its output is not kept in training.
    pub silent: Vec<Option<Silence>>,
}

/// How much of a ReLU's output is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// The share of all its numbers that are 0.
    pub zeros: f64,
    /// The share of its channels that are 0 for every sample of the batch, everywhere.
    pub dead: f64,
}

impl Network {
    /// The ReLUs in the order they run, with their places.
    pub fn relus(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::Relu(_)))
    }

    /// The outputs that a training pass from the value `cut` has with these weights, for the same masks if `key` is the
    /// same; see [`Network::forward_from`]. Running statistics stay as they are.
    ///
    /// # Errors
    /// As there.
    pub fn repeat_from(&self, value: &[f32], cut: Value, key: DropoutKey) -> Result<Repeated, ModelError> {
        match self.precision {
            Precision::F32 => self.repeat_in::<f32>(value, cut, key),
            Precision::Bf16 => self.repeat_in::<Bf16>(value, cut, key),
        }
    }

    fn repeat_in<E: Element>(
        &self,
        value: &[f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Repeated, ModelError> {
        let (batch, nodes) = (value.len() / self.shape(cut).len(), cut..self.output());
        let request = Request { mode: Mode::Training, batch, nodes, precision: self.precision };
        let mut recorded = self.record::<E>(value, &self.plan(&request), key, &mut |_| ())?;
        let silence = |(place, node): (usize, &Node)| {
            let made = recorded.values.get(place + 1);
            (place >= cut && !made.is_empty())
                .then(|| Silence::of(&elementwise::to_f32(made), node.shape.channels))
        };
        let silent = self.relus().map(silence).collect();
        let apart = recorded.outputs.take();
        let outputs = apart.unwrap_or_else(|| elementwise::to_f32(recorded.values.get(self.output())));
        Ok(Repeated { outputs, silent })
    }
}

impl Silence {
    /// Of the numbers `[N, …, channels]`.
    fn of(numbers: &[f32], channels: usize) -> Self {
        let mut alive = vec![false; channels];
        let mut zeros = 0_usize;
        for place in numbers.chunks_exact(channels.max(1)) {
            for (alive, &number) in alive.iter_mut().zip(place) {
                let zero = number == 0.0;
                zeros += usize::from(zero);
                *alive |= !zero;
            }
        }
        let dead = alive.iter().filter(|&&alive| !alive).count();
        Self { zeros: zeros as f64 / numbers.len() as f64, dead: dead as f64 / channels as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_dead_only_if_it_is_zero_for_every_sample() {
        let found = Silence::of(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN], 4);
        assert_eq!(found, Silence { zeros: 0.75, dead: 0.5 });
    }
}
