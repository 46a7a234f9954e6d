//! Nodes, parameters and the builder that puts them together.

use std::fmt;
use wellfit_kernels::Buffer;
use wellfit_kernels::conv::Algorithm;

/// The shape of one sample: an image, or features as a 1×1 image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Height.
    pub height: usize,
    /// Width.
    pub width: usize,
    /// Channels, or features.
    pub channels: usize,
}

impl Shape {
    /// An image of `height` × `width` with `channels`.
    #[must_use]
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// A vector of features.
    #[must_use]
    pub fn features(count: usize) -> Self {
        Self { height: 1, width: 1, channels: count }
    }

    /// Floats in one sample.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Pixels in one sample.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// As torch writes it, channels first, without the batch.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pixels() == 1 {
            write!(f, "[{}]", self.channels)
        } else {
            write!(f, "[{}, {}, {}]", self.channels, self.height, self.width)
        }
    }
}

/// The place of a sample's value in a pass: 0 is the input, n + 1 the output of node n.
pub type Value = usize;

/// What a node computes. Numbers are places in [`Network::parameters`] or [`Network::norms`].
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Convolution without bias.
    Conv {
        /// Place of the weights.
        weight: usize,
        /// k of k×k.
        kernel: usize,
        /// Stride.
        stride: usize,
        /// Zero padding.
        padding: usize,
    },
    /// y = xWᵀ + b over the whole sample.
    Linear {
        /// Place of the weights.
        weight: usize,
        /// Place of the bias.
        bias: usize,
    },
    /// Batch normalisation, then the residual sum, then ReLU.
    BatchNorm {
        /// Place of γ.
        gamma: usize,
        /// Place of β.
        beta: usize,
        /// Place of the running statistics.
        norm: usize,
        /// The value added before the ReLU.
        residual: Option<Value>,
        /// Whether a ReLU follows in the same pass.
        relu: bool,
    },
    /// max(x, 0).
    Relu,
    /// Inverted dropout: x·mask/(1 − p) in training, x in evaluation.
    Dropout {
        /// The share of units dropped.
        p: f32,
    },
    /// Max pooling.
    MaxPool {
        /// Window size.
        kernel: usize,
        /// Stride.
        stride: usize,
        /// Padding.
        padding: usize,
    },
    /// The mean of each channel over all pixels.
    GlobalAveragePool,
}

impl Op {
    /// The kind of work, as a profile groups it: `conv`, `linear`, `norm`, `pool`, `relu` or `dropout`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::Linear { .. } => "linear",
            Self::BatchNorm { .. } => "norm",
            Self::MaxPool { .. } | Self::GlobalAveragePool => "pool",
            Self::Relu => "relu",
            Self::Dropout { .. } => "dropout",
        }
    }
}

/// One step of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name, torchvision's where it has one.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it reads.
    pub input: Value,
    /// The shape it gives.
    pub shape: Shape,
}

/// How torch's layout of a parameter maps to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The same.
    Plain,
    /// torch `[out, in, k, k]`, ours `[k, k, in, out]`.
    Conv,
    /// torch `[out, C·H·W]`, ours `[H·W·C, out]`.
    Linear(Shape),
}

/// A tensor of weights.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// torch's name, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// torch's shape.
    pub shape: Vec<usize>,
    pub(crate) layout: Layout,
    /// The values in our layout.
    pub value: Buffer,
    /// Whether training changes it.
    pub trainable: bool,
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
}

/// BatchNorm's ε, torch's default.
pub const NORM_EPS: f32 = 1e-5;
/// BatchNorm's momentum, torch's default.
pub const NORM_MOMENTUM: f32 = 0.1;

/// A network: nodes in the order they run, and what they need.
#[derive(Debug, Clone)]
pub struct Network {
    /// The architecture's name.
    pub name: String,
    /// What it reads.
    pub input: Shape,
    /// What it does.
    pub nodes: Vec<Node>,
    /// Its weights.
    pub parameters: Vec<Parameter>,
    /// Its running statistics.
    pub norms: Vec<Norm>,
    /// How the processor computes its convolutions.
    pub algorithm: Algorithm,
}

impl Network {
    /// The shape of a value.
    #[must_use]
    pub fn shape(&self, value: Value) -> Shape {
        value.checked_sub(1).map_or(self.input, |node| self.nodes[node].shape)
    }

    /// Outputs for one sample: the number of classes.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.shape(self.nodes.len()).len()
    }

    /// Whether any layer normalises by batch statistics in training.
    #[must_use]
    pub fn has_batch_norm(&self) -> bool {
        self.norms.iter().any(|norm| !norm.frozen)
    }

    /// All weights, running statistics not counted (as `sum(p.numel())` in torch).
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|p| p.value.len()).sum()
    }

    /// The weights that training changes.
    #[must_use]
    pub fn trainable_count(&self) -> usize {
        self.parameters.iter().filter(|p| p.trainable).map(|p| p.value.len()).sum()
    }

    /// Fix everything but the head (the last layer): its weights no longer change, its BatchNorm layers use
    /// and keep their running statistics. Fixing the weights alone would leave BatchNorm following the
    /// batches.
    pub fn freeze_backbone(&mut self) {
        let head = self.head();
        self.parameters.iter_mut().for_each(|p| p.trainable = p.name.starts_with(&head));
        self.norms.iter_mut().for_each(|norm| norm.frozen = true);
    }

    /// The prefix of the last layer's parameter names, such as `fc.`.
    #[must_use]
    pub fn head(&self) -> String {
        self.nodes.last().map(|node| format!("{}.", node.name)).unwrap_or_default()
    }

    /// Places of a node's parameters.
    #[must_use]
    pub fn node_parameters(&self, node: &Node) -> Vec<usize> {
        match node.op {
            Op::Conv { weight, .. } => vec![weight],
            Op::Linear { weight, bias } => vec![weight, bias],
            Op::BatchNorm { gamma, beta, .. } => vec![gamma, beta],
            _ => Vec::new(),
        }
    }

    /// For each value, whether it depends on a trainable parameter.
    pub(crate) fn needs_gradient(&self) -> Vec<bool> {
        let mut needs = vec![false; self.nodes.len() + 1];
        for (place, node) in self.nodes.iter().enumerate() {
            let residual = node.residual().is_some_and(|value| needs[value]);
            let own = self.node_parameters(node).iter().any(|&p| self.parameters[p].trainable);
            needs[place + 1] = needs[node.input] || residual || own;
        }
        needs
    }

    /// For each convolution or linear layer whose output only a BatchNorm layer reads, the place of that
    /// layer: the two run together, there.
    pub(crate) fn joined(&self) -> Vec<Option<usize>> {
        let mut joined = vec![None; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate() {
            let Some(producer) = node.input.checked_sub(1) else { continue };
            let sums = matches!(self.nodes[producer].op, Op::Conv { .. } | Op::Linear { .. });
            if sums && matches!(node.op, Op::BatchNorm { .. }) && self.readers(node.input) == 1 {
                joined[producer] = Some(place);
            }
        }
        joined
    }

    /// How many nodes read a value, one that reads it twice counted twice.
    pub(crate) fn readers(&self, value: Value) -> usize {
        self.nodes
            .iter()
            .map(|node| usize::from(node.input == value) + usize::from(node.residual() == Some(value)))
            .sum()
    }

    /// For each value, the last place at which it is read (its own if it never is). A node with a place in `joined`
    /// reads there: all `None` where every node runs by itself.
    #[must_use]
    pub fn last_reader(&self, joined: &[Option<usize>]) -> Vec<usize> {
        let mut last: Vec<usize> = (0..=self.nodes.len()).collect();
        for (place, node) in self.nodes.iter().enumerate() {
            let read = joined[place].unwrap_or(place);
            last[node.input] = last[node.input].max(read);
            if let Some(value) = node.residual() {
                last[value] = last[value].max(place);
            }
        }
        last
    }
}

impl Node {
    /// The value that is added to its own.
    #[must_use]
    pub fn residual(&self) -> Option<Value> {
        match self.op {
            Op::BatchNorm { residual, .. } => residual,
            _ => None,
        }
    }
}

/// Puts a network together, node by node.
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
            algorithm: Algorithm::default(),
        })
    }

    /// The network.
    #[must_use]
    pub fn finish(self) -> Network {
        self.0
    }

    fn node(&mut self, name: &str, op: Op, input: Value, shape: Shape) -> Value {
        self.0.nodes.push(Node { name: name.to_owned(), op, input, shape });
        self.0.nodes.len()
    }

    fn parameter(&mut self, name: String, shape: &[usize], layout: Layout, fill: f32) -> usize {
        let mut value = Buffer::scratch(shape.iter().product());
        value.fill(fill);
        self.0.parameters.push(Parameter { name, shape: shape.to_vec(), layout, value, trainable: true });
        self.0.parameters.len() - 1
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
        let from = self.0.shape(input);
        let shape = [channels, from.channels, kernel, kernel];
        let weight = self.parameter(format!("{name}.weight"), &shape, Layout::Conv, 0.0);
        let out = |size: usize| (size + 2 * padding - kernel) / stride + 1;
        let shape = Shape::image(out(from.height), out(from.width), channels);
        self.node(name, Op::Conv { weight, kernel, stride, padding }, input, shape)
    }

    /// A linear layer over the whole sample, to `features`.
    pub fn linear(&mut self, name: &str, input: Value, features: usize) -> Value {
        let from = self.0.shape(input);
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let weight = self.parameter(weight, &[features, from.len()], Layout::Linear(from), 0.0);
        let bias = self.parameter(bias, &[features], Layout::Plain, 0.0);
        self.node(name, Op::Linear { weight, bias }, input, Shape::features(features))
    }

    /// Batch normalisation, with an optional residual sum and ReLU behind it.
    pub fn batch_norm(&mut self, name: &str, input: Value, residual: Option<Value>, relu: bool) -> Value {
        let shape = self.0.shape(input);
        let channels = shape.channels;
        let gamma = self.parameter(format!("{name}.weight"), &[channels], Layout::Plain, 1.0);
        let beta = self.parameter(format!("{name}.bias"), &[channels], Layout::Plain, 0.0);
        self.0.norms.push(Norm {
            name: name.to_owned(),
            mean: vec![0.0; channels],
            variance: vec![1.0; channels],
            batches: 0,
            frozen: false,
        });
        let norm = self.0.norms.len() - 1;
        self.node(name, Op::BatchNorm { gamma, beta, norm, residual, relu }, input, shape)
    }

    /// max(x, 0).
    pub fn relu(&mut self, name: &str, input: Value) -> Value {
        self.node(name, Op::Relu, input, self.0.shape(input))
    }

    /// Inverted dropout with rate `p`.
    pub fn dropout(&mut self, name: &str, input: Value, p: f32) -> Value {
        self.node(name, Op::Dropout { p }, input, self.0.shape(input))
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
        let from = self.0.shape(input);
        let out = |size: usize| (size + 2 * padding - kernel) / stride + 1;
        let shape = Shape::image(out(from.height), out(from.width), from.channels);
        self.node(name, Op::MaxPool { kernel, stride, padding }, input, shape)
    }

    /// The mean of each channel.
    pub fn global_average_pool(&mut self, name: &str, input: Value) -> Value {
        let shape = Shape::features(self.0.shape(input).channels);
        self.node(name, Op::GlobalAveragePool, input, shape)
    }
}
