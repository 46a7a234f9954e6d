//! A study where others find it: in a file or in a database, as Optuna 5 writes it, so that its dashboard shows the study while
//! it runs and its Python continues it, and we continue its studies.

mod address;
mod journal;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tables;
mod time;

pub use address::Address;

use crate::trial::{Direction, Parameter, State, Trial};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Why a study cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{storage}: {problem}")]
pub struct StorageError {
    /// The file or the database, without a password.
    pub storage: String,
    /// What is wrong.
    pub problem: String,
}

/// The result of what can fail so.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Something that is noted of a trial under way.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A parameter has this value.
    Parameter(String, Parameter),
    /// The metric after an epoch.
    Report(i64, f64),
    /// A worker's note.
    User(String, Value),
    /// A sampler's or pruner's note.
    System(String, Value),
}

/// A study that is open. What a method says it did is on the disk when it returns, and done once, however many workers try
/// the same.
pub trait Storage: Send {
    /// The study's name.
    fn name(&self) -> &str;

    /// Whether large values are good.
    fn direction(&self) -> Direction;

    /// All trials as they are now, by their numbers.
    ///
    /// # Errors
    /// If they cannot be read.
    fn trials(&mut self) -> Result<&[Trial]>;

    /// What is noted of the study.
    ///
    /// # Errors
    /// If it cannot be read.
    fn notes(&mut self) -> Result<BTreeMap<String, Value>>;

    /// Note something of the study.
    ///
    /// # Errors
    /// If it cannot be written.
    fn note(&mut self, key: &str, value: &Value) -> Result<()>;

    /// Begin a new trial, in which `notes` stand from the start, unless there are `most` already (see [`counted`]); its
    /// id.
    ///
    /// # Errors
    /// If it cannot be written.
    fn begin(&mut self, most: usize, notes: &[Change]) -> Result<Option<i64>>;

    /// Begin a trial that waits; `false` if another worker did.
    ///
    /// # Errors
    /// If it cannot be written.
    fn take(&mut self, id: i64, notes: &[Change]) -> Result<bool>;

    /// Note something of a trial under way; `false` if it is finished already.
    ///
    /// # Errors
    /// If it cannot be written.
    fn change(&mut self, id: i64, changes: &[Change]) -> Result<bool>;

    /// End a trial, and let another wait in its stead, if one is given; `false` if it is finished already.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(&mut self, id: i64, state: State, value: Option<f64>, again: Option<&Trial>) -> Result<bool>;

    /// Say that the worker of a trial is alive.
    ///
    /// # Errors
    /// If it cannot be written.
    fn beat(&mut self, id: i64) -> Result<()>;

    /// The trials under way whose workers once said that they are alive, but not for so long.
    ///
    /// # Errors
    /// If they cannot be read.
    fn silent(&mut self, grace: Duration) -> Result<Vec<i64>>;
}

/// How many trials a study has, or will have when those that wait and run are finished: one that was retried counts once.
#[must_use]
pub fn counted(trials: &[Trial]) -> usize {
    trials.iter().filter(|trial| !trial.is_retry()).count()
}

/// Open the study of that name. It is made, with this direction, if it is not there and may be.
///
/// # Errors
/// If the storage cannot be opened, the study is not there, or it has another direction.
pub fn open(address: &Address, name: &str, direction: Direction, make: bool) -> Result<Box<dyn Storage>> {
    let storage: Box<dyn Storage> = match address {
        Address::Journal(path) => Box::new(journal::Journal::open(path, name, direction, make)?),
        #[cfg(feature = "sqlite")]
        Address::Sqlite(path) => {
            Box::new(tables::Tables::open(sqlite::Sqlite::open(path)?, name, direction, make)?)
        }
        #[cfg(feature = "postgres")]
        Address::Postgres(url) => {
            Box::new(tables::Tables::open(postgres::Postgres::open(url)?, name, direction, make)?)
        }
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        #[allow(unreachable_patterns, reason = "with either feature")]
        other => return Err(other.not_built()),
    };
    if storage.direction() == direction {
        return Ok(storage);
    }
    Err(StorageError {
        storage: address.to_string(),
        problem: format!(
            "study {name} is to {}, not to {}: give it another name, or the metric that it has",
            storage.direction().name().to_lowercase(),
            direction.name().to_lowercase()
        ),
    })
}
