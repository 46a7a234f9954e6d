//! Search for good settings: from a space and the trials so far to the next trial.
//!
//! * [`Space`] what is searched, from a file or ready for a recipe
//! * [`Storage`] a study in a file or a database, as Optuna reads and continues it
//! * [`Sampler`] which values are tried; [`Pruner`] which trials end early: pure, with the rules of Optuna 5

mod distribution;
mod error;
mod forest;
/// A study in pictures.
pub mod pictures;
mod pruner;
mod sampler;
mod search;
mod space;
mod storage;
mod summary;

#[cfg(test)]
mod fixture;
mod trial;

pub use distribution::Distribution;
pub use error::TuneError;
pub use forest::Forest;
pub use pruner::{Field, Halving, Hyperband, Judgement, Median, Pruner};
pub use sampler::{Known, Sampler, Tpe};
pub use search::{End, Place, Plan, PrunerName, Watcher, Worker, best};
pub use space::{Condition, Searched, Space, SpaceError};
pub use storage::{Address, Change, Storage, StorageError, counted, open};
pub use trial::{Direction, Parameter, State, Trial};
