//! The group of settings against overfitting.

/// Adds these settings to the list (see `super::collect`).
macro_rules! regularisation_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Regularisation {
        /// Mirror training images left to right at random
        hflip: bool {
            default: |given| !given.is_idx(),
        }

        /// Mirror training images top to bottom at random
        ///
        /// For pictures without a top, such as those of a microscope or from above: in a photograph a cat stands on its
        /// feet.
        vflip: bool {
            default: |_| false,
            default_text: "false; `lab transfer`: true, for IDX data false",
        }

        /// Share of the target spread over all classes
        label_smoothing: f64 {
            default: |_| 0.0,
            value_name: "EPSILON",
            check: |spec| share("label_smoothing", spec.label_smoothing),
        }
    } } };
}
