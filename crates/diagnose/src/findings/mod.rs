//! What can be wrong with a training: one file a finding, or a group of findings that exclude each other.

mod advice;
mod batch_norm;
mod convergence;
mod data;
mod decay;
mod divergence;
mod double_softmax;
mod finding;
mod generalization;
mod layers;
mod look;
mod name;
mod not_learning;
mod overfitting;
mod rate;
mod registry;
mod spikes;
mod stopping;
mod underfitting;
mod validation;
mod waiting;

pub use advice::{Advice, Flag};
pub use finding::{Evidence, Finding, Missing, Ruled, Unknown};
pub use look::Look;
pub use name::Name;
pub use registry::{RULES, Rule, explained_by};
