//! Networks as data: a graph of operations, a plan of how to compute it, and the two passes that follow the plan.
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
//! * [`graph`] nodes, parameters, weights under torch's names
//! * [`loading`] weights of other programs: which array is which, and which network they are for
//! * [`ops`] the operations, one file each
//! * [`arch`] the architectures, one file a family; [`build`] finds one by name
//! * [`plan`] which operations run together, which buffers live when
//! * [`passes`] forward and backward
//! * [`engine`] the device that computes the passes
//! * [`optimizer`] an update rule with its moments
//! * [`average`] a running average of weights
//! * [`int8`] a trained network in 8-bit integers, for serving
//! * [`onnx`] a network as an ONNX file

pub mod arch;
pub mod average;
pub mod engine;
mod error;
pub mod graph;
pub mod int8;
pub mod loading;
pub mod onnx;
pub mod ops;
pub mod optimizer;
pub mod passes;
pub mod plan;

pub use arch::{
    Architecture, Cost, DropRates, MODELS, Published, architecture, architectures, build, build_with, cost,
    least_parameters, mlp, published, published_lite0,
};
pub use average::{AveragedWeights, Weighting};
pub use engine::{Cpu, DeviceState, Engine, Traffic, TrainingPass};
pub use error::ModelError;
pub use graph::{Network, Node, Parameter, Shape};
pub use loading::{HeadTaken, Likeness, Loaded, Misfit, head_outputs, likeness};
pub use ops::Op;
pub use optimizer::Optimizer;
pub use passes::{DropoutKey, GradCam, Gradients, Parts, PartsReady, Ready, Repeated, Silence, Tape};
pub use plan::{Plan, Precision};
