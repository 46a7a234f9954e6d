//! The group of settings against overfitting.

/// Adds these settings to the list (see `super::collect`).
macro_rules! regularisation_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Regularisation {
        /// Share of the target spread over all classes
        label_smoothing: f64 {
            default: |_| 0.0,
            value_name: "EPSILON",
            check: |spec| share("label_smoothing", spec.label_smoothing),
        }
    } } };
}
