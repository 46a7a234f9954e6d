//! Hugging Face's Trainer: `log_history` of `trainer_state.json` has rows `{loss, grad_norm, learning_rate, epoch, step}`
//! and rows `{eval_loss, eval_…, epoch, step}`. Epochs are fractions. The last row is a summary with `train_loss`, the
//! mean of all steps.

use super::{Format, Peculiarities, has};

pub(super) const HUGGING_FACE: Peculiarities = Peculiarities {
    format: Format::HuggingFace,
    recognises: |names| {
        let trainer =
            has(names, "eval_runtime") || has(names, "train_runtime") || has(names, "learning_rate");
        trainer
            && has(names, "epoch")
            && has(names, "step")
            && (has(names, "loss") || has(names, "eval_loss"))
    },
    skips: |name| name == "train_loss",
    ..Peculiarities::NONE
};
