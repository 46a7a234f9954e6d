//! Which steps of a pass are computed in integers, and which values they read as codes.

use crate::graph::{Network, Value};
use crate::ops::{Op, product};
use crate::plan::{Step, groups};
use wellfit_kernels::int8::MOST_DEPTH;

/// The place of the product in a step that can be computed in integers: not behind an activation that is no ReLU, nor
/// where channels fall into groups.
pub(super) fn integer_product(network: &Network, step: &Step) -> Option<usize> {
    if step.swish.is_some() {
        return None;
    }
    let place = match step.product {
        Some(place) => place,
        None if matches!(network.nodes[step.node].op, Op::Conv(_) | Op::Linear(_)) => step.node,
        None => return None,
    };
    let shape = product::shape(network, &network.nodes[place], 1)?;
    (shape.kernel * shape.kernel * shape.channels_in <= MOST_DEPTH).then_some(place)
}

/// Values that are stored as codes.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// For each value, whether a step reads it as codes.
    pub codes: Vec<bool>,
    /// For each value, whether max pooling makes it: it has the codes of the pooling's input.
    pub pooled: Vec<bool>,
}

impl Stored {
    /// Of the evaluation pass over `network`.
    pub fn new(network: &Network) -> Self {
        let values = network.nodes.len() + 1;
        let mut stored = Self { codes: vec![false; values], pooled: vec![false; values] };
        let steps = groups(network);
        for step in steps.iter().filter(|step| integer_product(network, step).is_some()) {
            step.reads(network).for_each(|value| stored.codes[value] = true);
        }
        // Later ones first: a pooling may read another's output.
        for step in steps.iter().rev() {
            if stored.codes[step.output] && matches!(network.nodes[step.node].op, Op::MaxPool(_)) {
                stored.pooled[step.output] = true;
                step.reads(network).for_each(|value| stored.codes[value] = true);
            }
        }
        stored
    }

    /// The values whose range has to be known.
    pub fn ranged(&self) -> impl Iterator<Item = Value> {
        (0..self.codes.len()).filter(|&value| self.codes[value] && !self.pooled[value])
    }
}
