//! A network's passes on a GPU, through Burn.
//!
//! [`open`] gives the [`Engine`] of a [`Device`]. Which devices there are is decided when the crate is built, by its
//! features `wgpu` and `cuda`; without them it knows the processor only, and nothing of Burn is compiled.
//!
//! * `link` the way to the device and back, and what it cost
//! * `passes` a network's nodes as operations on tensors
//! * `optim` clipping and the optimiser's rules on tensors
//! * `state` a network that stays on the device
//! * `engine` which networks a device computes, and single passes

mod device;
#[cfg(feature = "burn")]
mod engine;
#[cfg(feature = "burn")]
mod link;
#[cfg(feature = "burn")]
mod optim;
#[cfg(feature = "burn")]
mod passes;
#[cfg(feature = "burn")]
mod state;

pub use device::{Device, DeviceError, open};

#[doc(no_inline)]
pub use wellfit_models::Engine;
