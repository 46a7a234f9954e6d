//! A network: what is computed, and with which weights. The [plan](crate::plan) decides how.

use super::{Parameter, Shape};
use crate::ops::Op;
use crate::plan::{Plans, Precision};
use wellfit_kernels::conv::Algorithm;

/// The place of a sample's value in a pass: 0 is the input, n + 1 the output of node n.
pub type Value = usize;

/// One operation of a network, applied to the outputs of earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name, torchvision's where it has one.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<Value>,
    /// Places of its weights in [`Network::parameters`].
    pub parameters: Vec<usize>,
    /// The place of its running statistics in [`Network::norms`], if it has some.
    pub norm: Option<usize>,
    /// The shape it gives.
    pub shape: Shape,
}

/// A BatchNorm layer's running statistics.
#[derive(Debug, Clone)]
pub struct Norm {
    /// The layer's name.
    pub name: String,
    /// Running mean.
    pub mean: Vec<f32>,
    /// Running unbiased variance.
    pub variance: Vec<f32>,
    /// Training batches seen.
    pub batches: i64,
    /// Fixed: evaluation mode whatever the pass, statistics unchanged.
    pub frozen: bool,
    /// The statistics are the means over all batches seen, as torch's with `momentum=None`, and do not follow the latest.
    pub cumulative: bool,
}

/// A network: nodes in the order they run, and what they need.
#[derive(Debug, Clone)]
pub struct Network {
    /// The architecture's name.
    pub name: String,
    /// The shape of one input sample.
    pub input: Shape,
    /// The operations, in the order they run.
    pub nodes: Vec<Node>,
    /// Its weights.
    pub parameters: Vec<Parameter>,
    /// Its running statistics.
    pub norms: Vec<Norm>,
    /// Whether BatchNorm normalises by the running statistics that it has, and keeps them, while all else trains.
    pub fixed_statistics: bool,
    /// How the processor computes its convolutions.
    pub algorithm: Algorithm,
    /// How it stores the values of a pass.
    pub precision: Precision,
    /// The plans made so far.
    pub(crate) plans: Plans,
}

impl Network {
    /// The shape of a value.
    #[must_use]
    pub fn shape(&self, value: Value) -> Shape {
        value.checked_sub(1).map_or(self.input, |node| self.nodes[node].shape)
    }

    /// The value of the last node.
    #[must_use]
    pub fn output(&self) -> Value {
        self.nodes.len()
    }

    /// Outputs for one sample: the number of classes.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.shape(self.output()).len()
    }

    /// Whether any layer normalises by batch statistics in training.
    #[must_use]
    pub fn has_batch_norm(&self) -> bool {
        self.norms.iter().any(|norm| !norm.frozen)
    }

    /// All weights, running statistics not counted (as `sum(p.numel())` in torch).
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().fold(0, |sum, p| sum.saturating_add(p.count()))
    }

    /// The weights that training changes.
    #[must_use]
    pub fn trainable_count(&self) -> usize {
        self.parameters.iter().filter(|p| p.trainable).map(Parameter::count).sum()
    }

    /// The prefix of the last layer's parameter names, such as `fc.`.
    #[must_use]
    pub fn head(&self) -> String {
        self.nodes.last().map(|node| format!("{}.", node.name)).unwrap_or_default()
    }

    /// The running statistics of a node.
    #[must_use]
    pub fn norm(&self, node: &Node) -> Option<&Norm> {
        node.norm.map(|place| &self.norms[place])
    }

    /// For each value, the last node that reads it; its own place if none does.
    #[must_use]
    pub fn last_reader(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..=self.nodes.len()).collect();
        for (place, node) in self.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&value| last[value] = last[value].max(place));
        }
        last
    }

    /// For each value, whether it depends on a trainable parameter.
    pub(crate) fn needs_gradient(&self) -> Vec<bool> {
        let mut needs = vec![false; self.nodes.len() + 1];
        for (place, node) in self.nodes.iter().enumerate() {
            let own = node.parameters.iter().any(|&p| self.parameters[p].trainable);
            needs[place + 1] = own || node.inputs.iter().any(|&value| needs[value]);
        }
        needs
    }

    /// For each value, how many times nodes read it.
    pub(crate) fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.nodes.len() + 1];
        self.nodes.iter().flat_map(|node| &node.inputs).for_each(|&value| readers[value] += 1);
        readers
    }
}
