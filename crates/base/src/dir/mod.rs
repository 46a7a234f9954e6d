//! Directories that are opened once, and all that is done within them.

mod handle;
mod kind;
#[cfg(not(unix))]
#[path = "by_path.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(test)]
mod tests;

pub use handle::Dir;
pub use kind::{Identity, Kind};
