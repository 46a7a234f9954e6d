//! Processes that train one network together.
//!
//! * [`Group`] what they can do: exchange numbers, and hear what the first one says
//! * [`threads`] a group of threads in one process, for tests
//! * [`mpi`] the processes that an MPI launcher started (feature `mpi`)
//! * [`sum`](fn@sum) the sum of what all have, in an order that does not depend on how many they are
//! * [`Wire`] whether numbers are sent whole or rounded
//! * [`Link`] a group behind a thread of its own, so that sums are made while something else is computed

#![cfg_attr(not(feature = "mpi"), allow(rustdoc::broken_intra_doc_links))]

mod group;
mod launcher;
mod link;
#[cfg(feature = "mpi")]
pub mod mpi;
mod sum;
mod threads;
mod wire;

pub use group::{Group, Lost};
pub use launcher::launched;
pub use link::{Link, Pending};
pub use sum::{NOTHING, sum};
pub use threads::threads;
pub use wire::Wire;
