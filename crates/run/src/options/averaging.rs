//! Settings about averages: of gradients, of weights.

/// Adds these settings to the list (see `super::collect`).
macro_rules! averaging_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Optimiser {
        /// Batches that a step learns from: gradients are accumulated, and the step takes their mean over all images
        ///
        /// The gradient of a batch N times as large in the memory of one. BatchNorm still normalises each batch alone.
        /// Steps, schedules and checkpoints count steps, not batches; an epoch's last step has the batches that are left.
        accumulate: u32 {
            default: |_| 1,
            value_name: "N",
            check: |spec| {
                at_least_one("accumulate", spec.accumulate)?;
                let most = checks::LARGEST_BATCH as u32;
                require(spec.accumulate <= most, || format!("`accumulate` must be at most {most}, not {}", spec.accumulate))?;
                if spec.accumulate == 1 { Ok(()) } else { checks::on_processor("accumulate", &spec.device) }
            },
        }

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
