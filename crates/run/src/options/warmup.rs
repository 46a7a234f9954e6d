//! The setting of a warm-up.

/// Adds these settings to the list (see `super::collect`).
macro_rules! warmup_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Stopping {
        /// Raise the rate in a line, step by step, from a hundredth of `lr` to `lr` in the first N epochs; `schedule` begins
        /// after them
        ///
        /// torch's SequentialLR of LinearLR(start_factor=0.01) and the schedule, as torchvision's `lr_warmup_epochs`. With
        /// `lr_scheduler` epochs of the warm-up do not count as stalled. one-cycle has a warm-up of its own, its
        /// pct_start; where it would be the default or the recipe's, the schedule is cosine. `freeze_epochs` come before.
        warmup: u32 {
            default: |_| 0,
            value_name: "N",
            check: |spec| {
                require(spec.warmup == 0 || spec.freeze_epochs.saturating_add(spec.warmup) < spec.epochs, || {
                    let epochs = format!("`warmup` {} must end before the {} `epochs` do", spec.warmup, spec.epochs);
                    match spec.freeze_epochs {
                        0 => epochs,
                        head => format!("{epochs}, of which `freeze_epochs` are {head}"),
                    }
                })?;
                require(spec.warmup == 0 || !spec.schedule.rises_first(), || {
                    format!(
                        "`warmup` and `schedule` {} both begin with a rise: take another schedule, such as cosine, or leave \
                         `warmup` out (one-cycle:pct_start=0.1 rises in a tenth of the run)",
                        spec.schedule
                    )
                })?;
                let ends = spec.freeze_epochs.saturating_add(spec.warmup);
                let start = spec.swa_start.map_or(u32::MAX, |start| start.epoch(spec.epochs));
                require(spec.warmup == 0 || start > ends, || {
                    format!("`swa_start` {start} must be after the `warmup`, which ends with epoch {ends}")
                })
            },
        }
    } } };
}
