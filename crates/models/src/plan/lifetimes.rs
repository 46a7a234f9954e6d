//! When each buffer of a pass is made and used last.
//!
//! Time counts steps: those of the forward pass, then those of the backward pass in reverse order.

use super::{Mode, Plan};
use crate::graph::{Network, Value};

/// A buffer's size and its time.
#[derive(Debug, Clone, Copy)]
struct Life {
    bytes: u64,
    born: usize,
    /// The last moment at which it is used.
    dies: usize,
}

/// The buffers of a pass.
#[derive(Debug, Default)]
pub(super) struct Lifetimes {
    lives: Vec<Life>,
    /// For each moment, the values that are used last then.
    freed: Vec<Vec<Value>>,
}

impl Lifetimes {
    pub fn new(network: &Network, plan: &Plan) -> Self {
        let count = plan.steps.len();
        let moments = if plan.mode == Mode::Evaluation { count } else { 2 * count };
        let mut found = Self { lives: Vec::new(), freed: vec![Vec::new(); moments] };
        let Some(end) = moments.checked_sub(1) else { return found };
        let bytes = |value: Value| plan.value_bytes(network, value);
        found.lives.push(Life { bytes: bytes(plan.nodes.start), born: 0, dies: end });
        let back = |step: usize| 2 * count - 1 - step;
        for (at, step) in plan.steps.iter().enumerate() {
            // The backward pass of a step reads its inputs and, where a ReLU ends it, its output.
            let returns = plan.needs[step.output];
            let readers = plan.steps.iter().enumerate().skip(at + 1);
            let readers: Vec<usize> = readers
                .filter(|(_, other)| other.reads(network).any(|value| value == step.output))
                .map(|(reader, _)| reader)
                .collect();
            let read_back = readers.iter().copied().filter(|&reader| plan.needs[plan.steps[reader].output]);
            let last_back = read_back.map(back).chain(returns.then(|| back(at))).max();
            let last = if step.output == plan.nodes.end { Some(count - 1) } else { None };
            let last = last.into_iter().chain(readers.iter().copied()).chain(last_back).max().unwrap_or(at);
            let dies = if step.output == plan.nodes.end { end } else { last };
            found.value(step.output, bytes(step.output), at, dies);
            let own = if returns { back(at) } else { at };
            if let Some(product) = step.product_value() {
                found.value(product, bytes(product), at, own);
            }
            if plan.mode != Mode::Evaluation {
                let bytes = network.nodes[step.node]
                    .op
                    .remembered_bytes(plan.batch * network.nodes[step.node].shape.len());
                found.lives.push(Life { bytes: bytes as u64, born: at, dies: own });
            }
            if returns {
                found.gradients(network, plan, at, &readers);
            }
        }
        found
    }

    fn value(&mut self, value: Value, bytes: u64, born: usize, dies: usize) {
        self.lives.push(Life { bytes, born, dies });
        self.freed[dies].push(value);
    }

    /// The gradients of a step's output and parameters, and what else its backward pass needs.
    fn gradients(&mut self, network: &Network, plan: &Plan, at: usize, readers: &[usize]) {
        let (step, count) = (&plan.steps[at], plan.steps.len());
        let (end, own) = (2 * count - 1, 2 * count - 1 - at);
        let bytes = |value: Value| plan.value_bytes(network, value);
        let born = readers.iter().map(|reader| 2 * count - 1 - reader).min().unwrap_or(count);
        self.lives.push(Life { bytes: bytes(step.output), born, dies: own });
        let nodes = step.product.into_iter().chain([step.node]);
        let trained = nodes.flat_map(|node| &network.nodes[node].parameters);
        let trained = trained.map(|&place| &network.parameters[place]).filter(|p| p.trainable);
        let of_parameters = trained.map(|p| (p.count() * size_of::<f32>()) as u64).sum();
        self.lives.push(Life { bytes: of_parameters, born: own, dies: end });
        // A residual's gradient is the output's, so that of the product needs memory of its own.
        if let Some(product) = step.product_value().filter(|_| step.residual.is_some())
            && plan.joint(network, step).is_none()
        {
            self.lives.push(Life { bytes: bytes(product), born: own, dies: own });
        }
    }

    /// The values used last at that moment.
    pub fn freed(&self, moment: usize) -> &[Value] {
        self.freed.get(moment).map_or(&[], |freed| freed)
    }

    /// The most bytes alive at one moment.
    pub fn peak(&self) -> u64 {
        let mut change = vec![0_i64; self.freed.len() + 1];
        for life in &self.lives {
            change[life.born] += life.bytes as i64;
            change[life.dies + 1] -= life.bytes as i64;
        }
        let mut alive = 0;
        change
            .into_iter()
            .map(|by| {
                alive += by;
                alive as u64
            })
            .max()
            .unwrap_or(0)
    }
}
