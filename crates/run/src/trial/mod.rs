//! Trials: pairs of runs with and without a technique, and the verdicts on them.

mod arms;
mod audit;
mod changed;
mod curves;
mod data;
mod differences;
mod known;
mod looks;
mod measure;
mod pair;
mod pictures;
mod place;
mod plan;
mod result;
mod sharing;
mod techniques;
mod work;

pub use audit::{Audit, AuditedRun, audit, origin};
pub use looks::TestLook;
pub use plan::Ask;
pub use result::Proof;
pub use work::{Begun, prove};
