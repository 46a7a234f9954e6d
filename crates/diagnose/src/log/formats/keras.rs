//! Keras' CSVLogger: `epoch` from 0, then names sorted: `accuracy`, `loss`, `val_accuracy`, `val_loss`; training's have no
//! prefix. What is missing is `NA`.

use super::{Format, Peculiarities, has};
use crate::log::meaning::Phase;

pub(super) const KERAS: Peculiarities = Peculiarities {
    format: Format::Keras,
    recognises: |names| has(names, "epoch") && has(names, "loss"),
    bare_accuracy: Phase::Train,
    ..Peculiarities::NONE
};
