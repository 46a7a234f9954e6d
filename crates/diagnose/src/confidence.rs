//! Of how many held-out curves with a finding it was right: measured by `tests/benchmark`, which also requires that this table
//! is what it measures.

use crate::findings::Name;
use crate::log::Format;

/// Findings that were measured: right of how many as a run of ours, and as a table of losses, accuracies and rates.
pub const MEASURED: &[(Name, (u32, u32), (u32, u32))] = &[
    // Counts: begin
    // Counts: end
];

/// Right of how many held-out curves with that finding; none where it was found in none of them.
#[must_use]
pub fn confidence(name: Name, format: Format) -> Option<(u32, u32)> {
    let (_, run, table) = MEASURED.iter().find(|(measured, _, _)| *measured == name)?;
    let found = if format == Format::Wellfit { run } else { table };
    Some(*found).filter(|(_, all)| *all > 0)
}
