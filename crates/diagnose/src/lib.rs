//! It reads the curves of a training, ours or another tool's, and says what is wrong with it and what to change.
//!
//! ```text
//! log file or run ─log─▶ Curves ─findings─▶ Diagnosis: findings with evidence and advice, and what could not be looked at
//! ```
//!
//! * [`log`]: one reader a format, one [`Curves`] for all
//! * [`findings`]: one rule a finding; every number in a rule is a constant of [`thresholds`] with its source
//! * [`confidence`]: of how many held-out curves each finding was right
//! * [`probes`]: what a look at the network tells, such as labels that are probably wrong
//! * [`statistics`]: noise, trends and shares that do not mind outliers
//! * [`table`]: columns of numbers from CSV and JSON, also for `replay`
//!
//! ```
//! use wellfit_diagnose::{Asked, Name, diagnose, log};
//! let csv = "epoch,train_loss,val_loss\n1,0.9,0.8\n2,0.5,0.6\n3,0.4,0.5\n4,0.3,0.6\n5,0.2,0.7\n6,0.1,0.8\n7,0.05,0.9\n";
//! let curves = log::of_bytes(csv.into(), "log.csv", &Asked::default())?;
//! let diagnosis = diagnose(&curves);
//! assert_eq!((diagnosis.findings[0].name, diagnosis.findings[0].onset), (Name::Overfitting, Some(3)));
//! # Ok::<(), wellfit_diagnose::LogError>(())
//! ```

pub mod confidence;
mod diagnosis;
mod error;
pub mod findings;
pub mod log;
pub mod probes;
pub mod statistics;
pub mod table;
pub mod thresholds;

pub use diagnosis::{Diagnosis, diagnose};
pub use error::LogError;
pub use findings::{Advice, Evidence, Finding, Name, Unknown};
pub use log::{Asked, Curves, Facts, Format, Series};
