//! Networks as data: layers, MLPs and ResNets with explicit forward and backward passes.
//!
//! A [`Network`] is a list of [`Node`]s in the order they run, with its parameters under torchvision's
//! names. What a node does in training and in evaluation is an argument of the pass, never hidden state.
//!
//! ```
//! use wellfit_models::{Shape, build};
//! let mut network = build("resnet50", Shape::image(224, 224, 3), 1000)?;
//! network.initialise(0);
//! assert_eq!(network.parameter_count(), 25_557_032);
//! # Ok::<(), wellfit_models::ModelError>(())
//! ```
//!
//! * [`network`] nodes, parameters and the builder
//! * [`mlp`], [`resnet`] the architectures; [`build`] finds one by name
//! * [`forward`], [`backward`] the two passes
//! * [`engine`] who computes the passes
//! * [`optimizer`] an update rule with its memory
//! * [`state`] weights in and out under torch's names and layouts
//! * [`onnx`] a network as an ONNX file
//! * [`summary`] the printed table of layers

pub mod backward;
pub mod engine;
mod error;
pub mod forward;
mod init;
mod memory;
pub mod mlp;
pub mod network;
pub mod onnx;
pub mod optimizer;
mod prefix;
pub mod resnet;
pub mod state;
pub mod summary;
mod values;

pub use backward::Gradients;
pub use engine::{Cpu, Engine, Pass};
pub use error::ModelError;
pub use forward::{DropoutKey, Tape};
pub use network::{Network, Node, Op, Parameter, Shape};
pub use optimizer::Optimizer;
pub use state::Loaded;

/// The architectures [`build`] knows.
pub const MODELS: [&str; 8] =
    ["mlp", "mlp-bn", "resnet20", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"];

/// Build an architecture by name, with zero weights: initialise or load them next.
///
/// # Errors
/// For an unknown name, no classes, or an image too small for the architecture.
pub fn build(name: &str, input: Shape, classes: usize) -> Result<Network, ModelError> {
    if classes == 0 || input.len() == 0 {
        return Err(ModelError::Empty { input, classes });
    }
    match name {
        "mlp" => Ok(mlp::classifier(input, classes, false)),
        "mlp-bn" => Ok(mlp::classifier(input, classes, true)),
        "resnet20" => Ok(resnet::cifar(input, classes, 3)),
        "resnet18" => Ok(resnet::imagenet(name, resnet::Block::Basic, [2, 2, 2, 2], input, classes)),
        "resnet34" => Ok(resnet::imagenet(name, resnet::Block::Basic, [3, 4, 6, 3], input, classes)),
        "resnet50" => Ok(resnet::imagenet(name, resnet::Block::Bottleneck, [3, 4, 6, 3], input, classes)),
        "resnet101" => Ok(resnet::imagenet(name, resnet::Block::Bottleneck, [3, 4, 23, 3], input, classes)),
        "resnet152" => Ok(resnet::imagenet(name, resnet::Block::Bottleneck, [3, 8, 36, 3], input, classes)),
        _ => Err(ModelError::UnknownModel { name: name.to_owned() }),
    }
}

/// How many parameters [`build`]'s network has at the least, found without taking memory for them: those of the
/// layers that grow with the classes and, in an MLP, with the input. A file with fewer is not for that network.
#[must_use]
pub fn least_parameters(name: &str, input: Shape, classes: usize) -> usize {
    let features = match name {
        "mlp" | "mlp-bn" => 24,
        "resnet20" => 64,
        "resnet18" | "resnet34" => 512,
        _ => 2048,
    };
    let first = if name.starts_with("mlp") { input.len().saturating_mul(48) } else { 0 };
    classes.saturating_mul(features).saturating_add(first)
}
