//! A network's passes on a GPU, through Burn.
//!
//! [`open`] gives the [`Engine`] of a [`Device`]. Which devices there are is decided when the crate is built, by its
//! features `wgpu` and `cuda`; without them it knows the processor only, and nothing of Burn is compiled.
//!
//! * `passes` a network's nodes as operations on tensors
//! * `engine` what goes to the device and what comes back

mod device;
#[cfg(feature = "burn")]
mod engine;
#[cfg(feature = "burn")]
mod passes;

pub use device::{Device, DeviceError, open};

#[doc(no_inline)]
pub use wellfit_models::Engine;
