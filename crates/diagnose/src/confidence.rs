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
    Measured { name: Name::Diverged, run: (6, 6), table: (6, 6) },
    Measured { name: Name::NotLearning, run: (39, 40), table: (36, 36) },
    Measured { name: Name::ExplodingGradients, run: (1, 1), table: (0, 0) },
    Measured { name: Name::VanishingGradients, run: (4, 8), table: (0, 0) },
    Measured { name: Name::DeadUnits, run: (0, 0), table: (0, 0) },
    Measured { name: Name::LrTooHigh, run: (11, 11), table: (11, 11) },
    Measured { name: Name::Overfitting, run: (8, 11), table: (8, 11) },
    Measured { name: Name::Overconfident, run: (37, 39), table: (37, 39) },
    Measured { name: Name::Underfitting, run: (0, 0), table: (0, 0) },
    Measured { name: Name::LrTooLow, run: (7, 7), table: (7, 7) },
    Measured { name: Name::LossSpikes, run: (0, 5), table: (0, 0) },
    Measured { name: Name::StoppedTooEarly, run: (35, 67), table: (35, 67) },
    Measured { name: Name::StillImproving, run: (13, 15), table: (13, 15) },
    Measured { name: Name::Plateau, run: (1, 1), table: (1, 1) },
    Measured { name: Name::GeneralizationGap, run: (66, 66), table: (66, 69) },
    Measured { name: Name::ValidationAboveTrain, run: (0, 0), table: (0, 0) },
    Measured { name: Name::ClassImbalance, run: (9, 9), table: (0, 0) },
    Measured { name: Name::ValidationTooSmall, run: (98, 101), table: (98, 101) },
    // Counts: end
];

/// Right of how many held-out curves with that finding; none where it was found in none of them.
#[must_use]
pub fn confidence(name: Name, format: Format) -> Option<(u32, u32)> {
    let measured = MEASURED.iter().find(|measured| measured.name == name)?;
    let found = if format == Format::Wellfit { measured.run } else { measured.table };
    Some(found).filter(|(_, all)| *all > 0)
}
