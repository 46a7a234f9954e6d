//! Settings about when frozen layers begin to train.

/// Adds these settings to the list (see `super::collect`).
macro_rules! unfreezing_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Model {
        /// After the head alone, let another stage of the backbone train every N epochs, the last stage first (gradual
        /// unfreezing); 0 lets all train at once
        ///
        /// A stage is all layers of one image size, such as layer4 of a ResNet; the first has the stem. The head trains alone
        /// in the first `freeze_epochs`, N unless given. Howard and Ruder 2018; fastai's `freeze_to`.
        unfreeze_every: u32 {
            default: |_| 0,
            value_name: "N",
            check: |spec| require(spec.unfreeze_every == 0 || spec.freeze_epochs > 0, || {
                "`unfreeze_every` needs `freeze_epochs`, in which the head trains alone, and no `freeze`, which never ends"
                    .to_owned()
            }),
        }
    } } };
}
