//! Trials: pairs of runs with and without a technique, and the verdicts on them.

mod arms;
mod audit;
mod changed;
mod curves;
mod data;
mod differences;
mod keeper;
mod known;
mod looks;
mod measure;
mod pair;
mod pictures;
mod place;
mod plan;
mod result;
mod techniques;
mod work;

pub(crate) use arms::arms;
pub(crate) use data::Data;
pub(crate) use looks::noted as noted_look;
pub(crate) use pair::Brief;
pub(crate) use place::plan_of;
pub(crate) use plan::settings;
pub(crate) use techniques::{TOGETHER, technique};
pub(crate) use wellfit_proof::BASELINE;

pub use audit::{Audit, AuditedRun, audit, origin};
pub use looks::TestLook;
pub use plan::Ask;
pub use result::Proof;
pub use work::{Begun, prove};
