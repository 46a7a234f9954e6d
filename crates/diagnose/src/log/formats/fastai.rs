//! fastai: `epoch` from 0, `train_loss`, `valid_loss`, the metrics, all of them measured in validation, and `time` as text.
//! Names come again where a log was appended to.

use super::{Format, Peculiarities, has};
use crate::log::meaning::Phase;

pub(super) const FASTAI: Peculiarities = Peculiarities {
    format: Format::Fastai,
    recognises: |names| ["epoch", "train_loss", "valid_loss", "time"].iter().all(|name| has(names, name)),
    bare_accuracy: Phase::Val,
    ..Peculiarities::NONE
};
