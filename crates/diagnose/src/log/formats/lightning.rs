//! Lightning's CSVLogger: names sorted, among them `epoch` (from 0) and `step`; training and validation write rows of their
//! own, so rows are sparse. `NAME_step` and `NAME_epoch` are of single steps and of whole epochs.

use super::{Format, Peculiarities, has};

pub(super) const LIGHTNING: Peculiarities = Peculiarities {
    format: Format::Lightning,
    recognises: |names| has(names, "epoch") && has(names, "step"),
    ..Peculiarities::NONE
};
