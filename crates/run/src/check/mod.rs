//! Settings and data that cannot work, told before the first step: what `wellfit check` lists and `train` warns of.
//!
//! What makes no sense at all is refused when settings are decided (`options`); here is what can be trained but not have the
//! effect it is meant to have.

mod concern;
mod experiment;
mod first_loss;
mod network;
mod parts;
mod policies;
mod rate;
mod schedule;

pub use concern::{Concern, NAMES};
pub(crate) use rate::Usual as UsualRates;
