//! What is computed: a network as a graph of operations, with its weights under torch's names.
//!
//! * [`network`] nodes and what they need; [`builder`] puts them together
//! * [`parameter`] tensors of weights, and how torch's layout maps to ours
//! * [`state`] weights in and out
//! * `freeze`: the part that training leaves as it is
//! * `init`: fresh weights; `recompute`: running statistics anew
//! * [`summary`] the printed table of layers

pub mod builder;
mod freeze;
mod init;
pub mod network;
pub mod parameter;
mod recompute;
mod shape;
pub mod state;
pub mod summary;

pub use builder::Builder;
pub use network::{Network, Node, Norm, Value};
pub use parameter::{Init, Layout, Parameter, ParameterSpec};
pub use shape::Shape;
