//! Ultralytics: `epoch` from 1, `time`, `train/loss`, `metrics/accuracy_top1`, `metrics/accuracy_top5`, `val/loss`, `lr/pg0`
//! and so on. Older versions pad names and numbers with blanks. There is no accuracy in training.

use super::{Format, Peculiarities, has};

pub(super) const ULTRALYTICS: Peculiarities = Peculiarities {
    format: Format::Ultralytics,
    recognises: |names| has(names, "epoch") && names.iter().any(|name| name.starts_with("metrics/")),
    ..Peculiarities::NONE
};
