//! The backward pass.

use crate::forward::{Memory, Tape, max_pool};
use crate::network::{NORM_EPS, Network, Node, Op, Value};
use wellfit_kernels::conv::{BehindNorm, Conv, Destination};
use wellfit_kernels::norm::{self, Passed};
use wellfit_kernels::{Buffer, elementwise, optim, pool};

/// The gradient of each parameter, in its place; none for frozen ones.
#[derive(Debug)]
pub struct Gradients(pub Vec<Option<Buffer>>);

impl Gradients {
    /// The Euclidean norm of all gradients together.
    #[must_use]
    pub fn norm(&self) -> f64 {
        optim::global_norm(self.0.iter().flatten().map(|g| &**g))
    }

    /// Scale all gradients so that their common norm is at most `limit`, as
    /// `torch.nn.utils.clip_grad_norm_`; gives the norm before.
    pub fn clip(&mut self, limit: f64) -> f64 {
        let norm = self.norm();
        let factor = optim::clip_factor(norm, limit);
        if factor < 1.0 {
            self.0.iter_mut().flatten().for_each(|g| g.iter_mut().for_each(|g| *g *= factor));
        }
        norm
    }
}

impl Network {
    /// The gradients of all trainable parameters, from the gradient of the outputs `[N, classes]`. The tape
    /// is used up: a value is freed once the node that made it is done.
    #[must_use]
    pub fn backward(&self, tape: Tape<'_>, outputs: Buffer) -> Gradients {
        self.backward_watched(tape, outputs, |_| ())
    }

    /// [`Self::backward`] that tells `done` of each node once its part is done, for a profile.
    #[must_use]
    pub fn backward_watched(
        &self,
        mut tape: Tape<'_>,
        outputs: Buffer,
        mut done: impl FnMut(&Node),
    ) -> Gradients {
        let (needs, joined) = (self.needs_gradient(), self.joined());
        let mut parameters: Vec<Option<Buffer>> = self.parameters.iter().map(|_| None).collect();
        let mut flows = Flows::new(self, outputs);
        for (place, node) in self.nodes.iter().enumerate().rev() {
            let Some(mut dy) = flows.take(place + 1) else { continue };
            let masked = flows.masked[place + 1];
            let x = tape.values.get(node.input);
            let y = tape.values.get(place + 1);
            let from = self.shape(node.input);
            let memory = &tape.memories[place];
            match node.op {
                Op::Conv { weight, .. } | Op::Linear { weight, .. } => {
                    let shape = self.conv_shape(node, tape.batch);
                    if let Op::Linear { bias, .. } = node.op
                        && self.parameters[bias].trainable
                    {
                        parameters[bias] = Some(elementwise::sum_rows(&dy, node.shape.channels));
                    }
                    if self.parameters[weight].trainable {
                        parameters[weight] = Some(shape.weight_gradient(x, &dy));
                    }
                    if needs[node.input] {
                        let to = flows.place(node.input, x);
                        shape.data_gradient(&dy, &self.parameters[weight].value, to);
                    }
                }
                Op::BatchNorm { gamma, beta, residual, relu, .. } => {
                    let Memory::Statistics(statistics, batch) = memory else { continue };
                    let (scale, shift) = (&self.parameters[gamma].value, &self.parameters[beta].value);
                    let affine = norm::scale_and_shift(scale, shift, statistics, NORM_EPS);
                    let passed = match (relu && !masked, residual) {
                        (false, _) => Passed::All,
                        (true, None) => Passed::Affine(&affine.0, &affine.1),
                        (true, Some(_)) => Passed::Output(y),
                    };
                    let found = norm::backward(&mut dy, x, passed, scale, statistics, NORM_EPS, *batch);
                    let [of_gamma, of_beta] = [(gamma, found.gamma), (beta, found.beta)]
                        .map(|(place, found)| self.parameters[place].trainable.then_some(found));
                    (parameters[gamma], parameters[beta]) = (of_gamma, of_beta);
                    let residual = residual.filter(|&value| needs[value]);
                    if let Some(Joint { conv, weight, shape }) =
                        self.joint(place, &joined, &needs, tape.batch)
                    {
                        let behind = BehindNorm { y: x, dy: &dy, gradient: &found.input };
                        let (x, w) = (tape.values.get(conv.input), &self.parameters[weight].value);
                        let to = flows.place(conv.input, x);
                        parameters[weight] = Some(shape.gradients(x, w, behind, to));
                        tape.values.free(node.input);
                        done(conv);
                    } else if needs[node.input] {
                        let dx = match residual {
                            Some(_) => found.input.beside(&dy, x),
                            None => found.input.over(std::mem::take(&mut dy), x),
                        };
                        flows.add(node.input, Some(dx));
                    }
                    if let Some(value) = residual {
                        flows.add(value, Some(dy));
                    }
                }
                Op::Relu => {
                    if !masked {
                        elementwise::relu_backward(&mut dy, y);
                    }
                    flows.add(node.input, needs[node.input].then_some(dy));
                }
                Op::Dropout { .. } => {
                    let Memory::Mask(mask) = memory else { continue };
                    flows.add(node.input, needs[node.input].then(|| elementwise::multiply(&dy, mask)));
                }
                Op::MaxPool { kernel, stride, padding } => {
                    let Memory::Taps(taps) = memory else { continue };
                    let pool = max_pool(tape.batch, from, kernel, stride, padding);
                    flows.add(node.input, needs[node.input].then(|| pool.backward(&dy, taps)));
                }
                Op::GlobalAveragePool => {
                    let dx = || pool::global_average_backward(&dy, from.pixels(), from.channels);
                    flows.add(node.input, needs[node.input].then(dx));
                }
            }
            tape.values.free(place + 1);
            done(node);
        }
        Gradients(parameters)
    }
}

/// A 1×1 convolution that goes backward together with the BatchNorm layer behind it.
pub(crate) struct Joint<'a> {
    pub conv: &'a Node,
    weight: usize,
    shape: Conv,
}

impl Network {
    /// The convolution to go backward with the BatchNorm layer at `place`: where both its gradients are wanted.
    pub(crate) fn joint(
        &self,
        place: usize,
        joined: &[Option<usize>],
        needs: &[bool],
        batch: usize,
    ) -> Option<Joint<'_>> {
        let conv = &self.nodes[self.producer(place, joined)?];
        let Op::Conv { weight, .. } = conv.op else { return None };
        let shape = self.conv_shape(conv, batch);
        let wanted = self.parameters[weight].trainable && needs[conv.input];
        (wanted && shape.joins_norm()).then_some(Joint { conv, weight, shape })
    }
}

/// The gradient that has reached each value so far.
struct Flows {
    gradients: Vec<Option<Buffer>>,
    /// How many gradients of each value are still to come.
    expected: Vec<usize>,
    /// The values whose output tells where the ReLU that made them lets a gradient pass.
    relus: Vec<bool>,
    /// Those whose gradient is already that of the ReLU's input: the layer that wrote the last part of it saw to
    /// that, having the value at hand.
    masked: Vec<bool>,
}

impl Flows {
    fn new(network: &Network, outputs: Buffer) -> Self {
        let values = 0..=network.nodes.len();
        // Where no residual was added, the normalisation's input tells it as well, and has to be read anyway.
        let relu = |node: &Node| match node.op {
            Op::BatchNorm { residual, relu, .. } => relu && residual.is_some(),
            _ => node.op == Op::Relu,
        };
        Self {
            gradients: network.nodes.iter().map(|_| None).chain([Some(outputs)]).collect(),
            expected: values.clone().map(|value| network.readers(value)).collect(),
            relus: [false].into_iter().chain(network.nodes.iter().map(relu)).collect(),
            masked: values.map(|_| false).collect(),
        }
    }

    fn take(&mut self, value: Value) -> Option<Buffer> {
        self.gradients[value].take()
    }

    /// Where a layer is to write its part of the gradient of a value, whose floats are `x`.
    fn place<'a>(&'a mut self, value: Value, x: &'a [f32]) -> Destination<'a> {
        self.expected[value] -= 1;
        self.masked[value] = self.relus[value] && self.expected[value] == 0;
        let passed = self.masked[value].then_some(x);
        let flow = &mut self.gradients[value];
        let accumulate = flow.is_some();
        Destination { dx: flow.get_or_insert_with(|| Buffer::scratch(x.len())), accumulate, passed }
    }

    fn add(&mut self, value: Value, gradient: Option<Buffer>) {
        self.expected[value] -= 1;
        match (&mut self.gradients[value], gradient) {
            (Some(sum), Some(gradient)) => elementwise::add_to(sum, &gradient),
            (none, Some(gradient)) => *none = Some(gradient),
            (_, None) => {}
        }
    }
}
