//! The operations of a network, one file each: shape, parameters, both passes, torch's layout, ONNX, summary.
//!
//! To add one, write its file and a line in `operations!` below. An operation computes by itself; the
//! [plan](crate::plan) decides which neighbours run together.

mod context;
pub(crate) mod product;

pub use context::{Backward, Forward, Made, Memory};

use crate::ModelError;
use crate::graph::{ParameterSpec, Shape};
use crate::onnx::{Graph, Tensor};
use std::fmt::Debug;
use wellfit_kernels::{Buffer, Element};

/// What one operation is and does. Images are `[N, H, W, C]`.
pub trait Operation: Debug {
    /// The kind of work, as a profile groups it, such as `conv` or `pool`.
    fn kind(&self) -> &'static str;

    /// The layer as torch prints it, from the shapes it reads and gives.
    fn describe(&self, inputs: &[Shape], output: Shape) -> String;

    /// The shape of its output.
    fn shape(&self, inputs: &[Shape]) -> Shape;

    /// The weights it needs, in torch's order.
    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let _ = inputs;
        Vec::new()
    }

    /// Whether it keeps a running mean and variance of each channel.
    fn has_running_statistics(&self) -> bool {
        false
    }

    /// Whether a training pass draws random numbers for it.
    fn is_random(&self) -> bool {
        false
    }

    /// Bytes that a training pass keeps for the backward pass besides inputs and output, for an `output` of so many
    /// floats in the batch.
    fn remembered_bytes(&self, output: usize) -> usize {
        let _ = output;
        0
    }

    /// Compute its output. Values are stored as `E`; arithmetic is f32.
    ///
    /// # Errors
    /// When it cannot be computed from this batch.
    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError>
    where
        Self: Sized;

    /// From the gradient `dy` of its output to those of its weights and of the inputs that
    /// [want one](Backward::wants).
    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>)
    where
        Self: Sized;

    /// Add its operators to an ONNX graph and return the tensor they end with.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor;
}

/// From a line `module: Type` for each operation to its module, the enum [`Op`] of all, and their [`Operation`]s.
macro_rules! operations {
    ($($(#[$doc:meta])* $module:ident: $name:ident,)*) => {
        $(mod $module; pub use $module::$name;)*

        /// What a node computes.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Op {
            $($(#[$doc])* $name($name),)*
        }

        impl std::ops::Deref for Op {
            type Target = dyn Operation;

            fn deref(&self) -> &Self::Target {
                match self { $(Self::$name(op) => op,)* }
            }
        }

        impl Op {
            pub(crate) fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
                match self { $(Self::$name(op) => op.forward(step),)* }
            }

            pub(crate) fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
                match self { $(Self::$name(op) => op.backward(step, dy),)* }
            }
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        })*
    };
}

operations! {
    /// Convolution without bias.
    conv: Conv,
    /// Grouped convolution without bias.
    grouped_conv: GroupedConv,
    /// y = xWᵀ + b over the whole sample.
    linear: Linear,
    /// Batch normalisation.
    batch_norm: BatchNorm,
    /// a + b.
    add: Add,
    /// max(x, 0).
    relu: Relu,
    /// Another function of each value.
    activation: Activation,
    /// Inverted dropout.
    dropout: Dropout,
    /// Max pooling.
    max_pool: MaxPool,
    /// The mean of each channel over all pixels.
    global_average_pool: GlobalAveragePool,
    /// 1×1 convolution with bias.
    pointwise_conv: PointwiseConv,
    /// Each channel of an image times a factor.
    scale_channels: ScaleChannels,
    /// Whole samples dropped.
    stochastic_depth: StochasticDepth,
    /// A border of zeros.
    zero_pad: ZeroPad,
}

pub use dropout::dropout_mask;
