//! The group of settings about averages of weights.

/// Adds these settings to the list (see `super::collect`).
macro_rules! averaging_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Optimiser {
        /// Keep an exponential moving average of the weights (EMA), which keeps this share of itself at each step, such as
        /// 0.999
        ///
        /// The average is what is validated, what `best` chooses from and what is kept in the end. In the first steps it
        /// keeps less, so that short runs gain from it, too: min(`ema`, (1 + n)/(10 + n)) after n steps.
        ema: Option<f64> {
            default: |_| None,
            default_text: "off",
            value_name: "DECAY",
            check: |spec| {
                let Some(decay) = spec.ema else { return Ok(()) };
                require(decay > 0.0 && decay < 1.0, || {
                    format!("`ema` must be above 0 and below 1, such as 0.999, not {decay}")
                })?;
                checks::on_processor("ema", &spec.device)
            },
        }
    } } };
}
