//! Of how many held-out curves with a finding it was right: measured by `tests/benchmark`, which also requires that this table
//! is what it measures.

use crate::findings::Name;
use crate::log::Format;

/// A finding as it was measured: right of how many cases, as `(right, all)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Which.
    pub name: Name,
    /// Seen as a run of ours.
    pub run: (u32, u32),
    /// Seen as a table of losses, accuracies and rates.
    pub table: (u32, u32),
}

/// The findings that were measured.
pub const MEASURED: &[Measured] = &[
    // Counts: begin
    // Counts: end
];

/// Right of how many held-out curves with that finding; none where it was found in none of them.
#[must_use]
pub fn confidence(name: Name, format: Format) -> Option<(u32, u32)> {
    let measured = MEASURED.iter().find(|measured| measured.name == name)?;
    let found = if format == Format::Wellfit { measured.run } else { measured.table };
    Some(found).filter(|(_, all)| *all > 0)
}
