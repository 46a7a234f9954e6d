//! Matrix units: products of whole tiles of bf16.
//!
//! A tile is 16 rows of 64 bytes: of 16 f32, or of 32 bf16. Intel's AMX has eight of them. `Amx` names its instructions;
//! `Emulated` does the same in plain Rust, bit for bit, so that whatever is made of tiles can be tried on any machine.

#[cfg(target_arch = "x86_64")]
mod amx;
mod emulated;
mod unit;

#[cfg(target_arch = "x86_64")]
pub use amx::Amx;
pub use emulated::Emulated;
pub use unit::{MatrixUnit, SIDE, TILE, TileUnit};
