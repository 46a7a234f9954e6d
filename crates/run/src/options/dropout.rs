//! The setting of dropout.

/// Adds these settings to the list (see `super::collect`).
macro_rules! dropout_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Regularisation {
        /// How often training drops an input of the last layer, the head (dropout)
        ///
        /// torchvision's argument `dropout` of MobileNets and EfficientNets, and timm's `drop_rate`: a share P of the features is 0
        /// in each step, the others are divided by 1 − P. Validation and exported networks drop nothing.
        dropout: Option<f64> {
            default: |_| None,
            default_text: "the architecture's: MobileNets and EfficientNets 0.2, others 0",
            value_name: "P",
            check: |spec| spec.dropout.map_or(Ok(()), |p| share("dropout", p)),
        }
    } } };
}
