//! How much memory a training step takes, told from the node list without taking it.

use crate::network::{Network, Node, Op, Value};

const BYTES_A_FLOAT: u64 = size_of::<f32>() as u64;

impl Network {
    /// Bytes alive at the worst moment of one training step of `batch` samples: what the forward pass
    /// remembers, the gradients on their way back, and those of the parameters so far. The parameters
    /// themselves are not counted. An estimate: it follows the two passes node by node, but leaves out
    /// the kernels' small scratch memory.
    #[must_use]
    pub fn step_bytes(&self, batch: usize) -> u64 {
        let joined = self.joined();
        let (needs, last) = (self.needs_gradient(), self.last_reader(&joined));
        let mut meter = Meter::default();
        let floats = |value: Value| (batch * self.shape(value).len()) as u64;
        meter.take(floats(0));
        for place in (0..self.nodes.len()).filter(|&place| joined[place].is_none()) {
            let producer = self.producer(place, &joined);
            // The output of a layer that BatchNorm is folded into is never written.
            let (made, folded) = match producer {
                Some(producer) if self.as_in_evaluation(place, &needs) => (None, Some(producer + 1)),
                other => (other, None),
            };
            for made in made.into_iter().chain([place]) {
                meter.take(floats(made + 1) + self.remembered(&self.nodes[made], batch));
            }
            for value in self.read_at(place, &joined).filter(|&value| Some(value) != folded) {
                if last[value] == place && !self.kept(value, &needs) {
                    meter.give(floats(value));
                }
            }
        }
        let mut flows = vec![false; self.nodes.len() + 1];
        flows[self.nodes.len()] = true;
        meter.take(floats(self.nodes.len()));
        for (place, node) in self.nodes.iter().enumerate().rev().filter(|(place, _)| needs[place + 1]) {
            if !flows[place + 1] {
                continue; // done with the BatchNorm layer behind it
            }
            let before = self.joint(place, &joined, &needs, batch).map(|joint| joint.conv);
            self.step_back(node, before, &needs, &mut flows, &mut meter, &floats);
            // Its gradient, its output, and that of the convolution that went with it.
            meter.give(floats(place + 1));
            for value in before.map(|_| node.input).into_iter().chain([place + 1]) {
                if self.kept(value, &needs) {
                    meter.give(floats(value));
                }
            }
        }
        meter.most * BYTES_A_FLOAT
    }

    /// What one node's backward pass takes, with that of the convolution `before` it where they go together. What is
    /// given back by then is the caller's affair.
    fn step_back(
        &self,
        node: &Node,
        before: Option<&Node>,
        needs: &[bool],
        flows: &mut [bool],
        meter: &mut Meter,
        floats: &dyn Fn(Value) -> u64,
    ) {
        let own = before.into_iter().chain([node]).flat_map(|node| self.node_parameters(node));
        let own = own.filter(|&p| self.parameters[p].trainable);
        meter.take(own.map(|p| self.parameters[p].value.len() as u64).sum());
        let input = before.unwrap_or(node).input;
        for value in [Some(input), node.residual()].into_iter().flatten().filter(|&value| needs[value]) {
            meter.take(floats(value));
            if std::mem::replace(&mut flows[value], true) {
                meter.give(floats(value)); // added to the gradient that was there
            }
        }
    }

    /// Floats a node remembers besides its output.
    fn remembered(&self, node: &Node, batch: usize) -> u64 {
        let output = (batch * node.shape.len()) as u64;
        match node.op {
            Op::Dropout { .. } => output,
            Op::MaxPool { .. } => output / BYTES_A_FLOAT,
            _ => 0,
        }
    }
}

/// Floats alive now, and at most so far.
#[derive(Default)]
struct Meter {
    now: u64,
    most: u64,
}

impl Meter {
    fn take(&mut self, floats: u64) {
        self.now += floats;
        self.most = self.most.max(self.now);
    }

    fn give(&mut self, floats: u64) {
        self.now = self.now.saturating_sub(floats);
    }
}
