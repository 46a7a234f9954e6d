//! What a family of policies gives on one record.

use crate::commands::replay::source::Metrics;
use wellfit::policy::family::{RateMember, StoppingMember};

/// The families on one record.
pub struct Found {
    /// The record.
    pub metrics: Metrics,
    /// Its best epoch, and the metric there.
    pub best: (u32, f64),
    /// Early stopping: by semantics, then by least change, then by patience.
    pub stopping: Vec<StoppingMember>,
    /// Plateau schedulers; none where rates are unknown.
    pub rates: Vec<RateMember>,
}
