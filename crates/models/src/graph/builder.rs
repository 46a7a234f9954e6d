//! Puts a network together, node by node.

use super::{Init, Network, Node, Norm, Parameter, Shape, Value};
use crate::ops::{Add, BatchNorm, Conv, Dropout, GlobalAveragePool, Linear, MaxPool, Op, Relu};
use crate::plan::{Plans, Precision};
use wellfit_kernels::Buffer;
use wellfit_kernels::conv::Algorithm;

/// Puts a network together, node by node. Each method gives the value that its node makes.
#[derive(Debug)]
pub struct Builder(Network);

impl Builder {
    /// A network without nodes.
    #[must_use]
    pub fn new(name: &str, input: Shape) -> Self {
        Self(Network {
            name: name.to_owned(),
            input,
            nodes: Vec::new(),
            parameters: Vec::new(),
            norms: Vec::new(),
            fixed_statistics: false,
            algorithm: Algorithm::default(),
            precision: Precision::default(),
            plans: Plans::default(),
        })
    }

    /// The network, with constants in its weights: 1 for the scale of a normalisation, else 0.
    #[must_use]
    pub fn finish(self) -> Network {
        let mut network = self.0;
        for parameter in &mut network.parameters {
            parameter.value = Buffer::scratch(parameter.count());
            let constant = parameter.constant();
            parameter.value.fill(constant);
        }
        network
    }

    /// The network without memory for its weights, to be counted only.
    pub(crate) fn without_values(self) -> Network {
        self.0
    }

    /// The shape of a value that was made.
    pub(crate) fn shape(&self, value: Value) -> Shape {
        self.0.shape(value)
    }

    /// An operation on `inputs`.
    pub fn op(&mut self, name: &str, op: impl Into<Op>, inputs: &[Value]) -> Value {
        let op = op.into();
        let shapes: Vec<Shape> = inputs.iter().map(|&value| self.0.shape(value)).collect();
        let shape = op.shape(&shapes);
        let first = self.0.parameters.len();
        self.0.parameters.extend(op.parameters(&shapes).into_iter().map(|spec| Parameter {
            name: format!("{name}.{}", spec.suffix),
            shape: spec.shape,
            layout: spec.layout,
            init: spec.init,
            value: Buffer::scratch(0),
            trainable: true,
            lr_factor: 1.0,
        }));
        let parameters = (first..self.0.parameters.len()).collect();
        let norm = op.has_running_statistics().then(|| {
            let (mean, variance) = (vec![0.0; shape.channels], vec![1.0; shape.channels]);
            self.0.norms.push(Norm {
                name: name.to_owned(),
                mean,
                variance,
                batches: 0,
                frozen: false,
                cumulative: false,
            });
            self.0.norms.len() - 1
        });
        self.0.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.to_vec(),
            parameters,
            norm,
            shape,
        });
        self.0.nodes.len()
    }

    /// Draw the parameters of the node that made `value` from these distributions, in their order, instead of its
    /// operation's.
    pub fn initial(&mut self, value: Value, inits: &[Init]) {
        let Some(node) = value.checked_sub(1).map(|place| &self.0.nodes[place]) else { return };
        for (&place, &init) in node.parameters.iter().zip(inits) {
            self.0.parameters[place].init = init;
        }
    }

    /// A convolution without bias, to `channels`.
    pub fn conv(
        &mut self,
        name: &str,
        input: Value,
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Value {
        self.op(name, Conv { channels, kernel, stride, padding }, &[input])
    }

    /// A linear layer over the whole sample, to `features`.
    pub fn linear(&mut self, name: &str, input: Value, features: usize) -> Value {
        self.op(name, Linear { features }, &[input])
    }

    /// Batch normalisation with torch's ε and momentum.
    pub fn batch_norm(&mut self, name: &str, input: Value) -> Value {
        self.op(name, BatchNorm::default(), &[input])
    }

    /// a + b.
    pub fn add(&mut self, name: &str, a: Value, b: Value) -> Value {
        self.op(name, Add, &[a, b])
    }

    /// max(x, 0).
    pub fn relu(&mut self, name: &str, input: Value) -> Value {
        self.op(name, Relu, &[input])
    }

    /// Inverted dropout with rate `p`.
    pub fn dropout(&mut self, name: &str, input: Value, p: f32) -> Value {
        self.op(name, Dropout { p }, &[input])
    }

    /// Dropout with rate `p` of what the last node reads: the rate of the dropout that is there, or else of a new one, which
    /// has no parameters, so those of the network keep their names and places.
    pub(crate) fn drop_before_head(&mut self, p: f32) {
        let Some(mut head) = self.0.nodes.pop() else { return };
        match self.0.nodes.last_mut().map(|node| &mut node.op) {
            Some(Op::Dropout(dropout)) => dropout.p = p,
            _ if p > 0.0 => head.inputs = vec![self.dropout("dropout", head.inputs[0], p)],
            _ => {}
        }
        self.0.nodes.push(head);
    }

    /// Max pooling.
    pub fn max_pool(
        &mut self,
        name: &str,
        input: Value,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Value {
        self.op(name, MaxPool { kernel, stride, padding }, &[input])
    }

    /// The mean of each channel.
    pub fn global_average_pool(&mut self, name: &str, input: Value) -> Value {
        self.op(name, GlobalAveragePool, &[input])
    }
}
