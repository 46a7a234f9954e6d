//! Weights & Biases: the export of a chart (`Step`, then `RUN - METRIC` with `__MIN` and `__MAX` of the same) or of a run's
//! history (`_step`, `_runtime`, `_timestamp`, then the metrics; rows are sparse where metrics were logged apart).

use super::{Format, Peculiarities, has};

pub(super) const WANDB: Peculiarities = Peculiarities {
    format: Format::Wandb,
    recognises: |names| {
        let chart = has(names, "Step") && names.iter().any(|name| name.contains(" - "));
        chart || has(names, "_step") || names.iter().any(|name| is_range(name))
    },
    skips: is_range,
    ..Peculiarities::NONE
};

/// The least and the largest of the runs or steps that a chart draws as one.
fn is_range(name: &str) -> bool {
    name.ends_with("__MIN") || name.ends_with("__MAX")
}
