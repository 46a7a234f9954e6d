//! The group of settings about the learning rate's schedule and when the run ends.

/// Adds these settings to the list (see `super::collect`).
macro_rules! stopping_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Stopping {
        /// Time that training may take, preparation included, such as 90s, 10min or 1h30m: fewer epochs where all take longer
        ///
        /// A few steps are measured first. `epochs`, or those of the recipe, are the most; an epoch that is planned is
        /// trained, so that the schedule ends as it should, and a resumed run has the same number.
        time: Option<TimeLimit> {
            default: |_| None,
            default_text: "no limit",
            value_name: "TIME",
            check: |spec| {
                let both = |other: &str| format!("`time` decides the epochs, which `{other}` needs before: give `epochs`");
                require(spec.time.is_none() || spec.folds.is_none(), || both("folds"))?;
                require(spec.time.is_none() || spec.swa_start.is_none(), || both("swa_start"))
            },
            common: true,
        }

        /// How the rate moves: constant, one-cycle, cosine, step:step_size=10,gamma=0.1, …
        ///
        /// A name, or a name with options: constant, one-cycle, cosine, cosine-restarts, step, multi-step, exponential,
        /// linear-warmup, polynomial, sequential, chained. Steps are epochs, as torch's users count them, or those of
        /// training with by=steps; one-cycle and cosine cover all steps of the run.
        schedule: ScheduleSpec {
            default: |given| {
                // One-cycle has a warm-up of its own.
                let moving = if given.options.warmup.unwrap_or(0) > 0 { "cosine" } else { "one-cycle" };
                given.folder_or_idx("constant", moving).parse().unwrap_or_default()
            },
            value_name: "NAME:OPTIONS",
        }

        /// Lower the rate when the validation loss, or what `lr_monitor` names, stalls (ReduceLROnPlateau)
        ///
        /// Any of `lr_patience`, `lr_factor`, `min_lr` and `lr_monitor` turns it on, too.
        lr_scheduler: bool {
            default: |_| false,
            check: |spec| {
                require(!spec.lr_scheduler || spec.schedule.is_constant(), || {
                    "`lr_scheduler` and `schedule` both set the learning rate: choose one (`lr_patience`, `lr_factor` and \
                     `min_lr` belong to the first)".to_owned()
                })?;
                spec.plateau().validate().map_err(|error| error.to_string())
            },
            common: true,
        }

        /// Epochs without improvement before the rate is lowered
        lr_patience: u32 {
            default: |_| 5,
            value_name: "N",
        }

        /// The metric that the rate is lowered by
        lr_monitor: String {
            default: |_| Metric::VAL_LOSS.name().to_owned(),
            value_name: "METRIC",
            names: Metric::names,
            check: |spec| checks::known_metric("lr_monitor", &spec.lr_monitor),
        }

        /// What the rate is multiplied by
        lr_factor: f64 {
            default: |_| 0.5,
            value_name: "FACTOR",
        }

        /// The rate is never lowered below this
        min_lr: f64 {
            default: |_| 1e-6,
            value_name: "RATE",
        }

        /// Stop when the watched metric no longer improves
        ///
        /// `patience` or `min_delta` turn it on, too.
        early_stopping: bool {
            default: |_| false,
            check: |spec| spec.early_stopping().validate().map_err(|error| error.to_string()),
            common: true,
        }

        /// Epochs without improvement before stopping
        patience: u32 {
            default: |_| 5,
            value_name: "N",
            common: true,
        }

        /// The least change that counts as an improvement
        min_delta: f64 {
            default: |_| 0.0,
            value_name: "DELTA",
        }

        /// What early stopping watches
        monitor: String {
            default: |_| Metric::VAL_LOSS.name().to_owned(),
            value_name: "METRIC",
            names: Metric::names,
            check: |spec| checks::known_metric("monitor", &spec.monitor),
        }

        /// Whose rules early stopping and `lr_scheduler` follow
        semantics: SemanticsName {
            default: |_| SemanticsName::Torch,
            value_name: "WHOSE",
        }
    } } };
}
