//! timm's training script: `epoch` from 0, `train_loss`, `eval_loss`, `eval_top1` and `eval_top5` in percent, `lr`.

use super::{Format, Peculiarities, has};

pub(super) const TIMM: Peculiarities = Peculiarities {
    format: Format::Timm,
    recognises: |names| has(names, "epoch") && has(names, "eval_loss") && has(names, "eval_top1"),
    percent: true,
    ..Peculiarities::NONE
};
