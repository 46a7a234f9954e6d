//! The group of settings about the optimiser.

/// Adds these settings to the list (see `super::collect`).
macro_rules! optimiser_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Optimiser {
        /// Epochs at most
        epochs: u32 {
            default: |given| match given.data {
                DataKind::Folder => 100,
                DataKind::Idx { .. } => 20,
                DataKind::Sample { .. } => 8,
            },
            value_name: "N",
            check: |spec| at_least_one("epochs", spec.epochs),
            common: true,
        }

        /// Images in a batch
        batch_size: usize {
            default: |_| 32,
            value_name: "N",
            check: |spec| batch_size(spec.batch_size),
            common: true,
        }

        /// Learning rate; auto to find one first
        ///
        /// auto: as `wellfit lr-find` does, on the run's own data, weights and seed; the run takes its suggestion valley, and
        /// keeps the number.
        lr: LrSetting {
            default: |given| given.folder_or_idx(0.001, 0.01).into(),
            value_name: "RATE",
            check: |spec| {
                require(spec.lr != LrSetting::Auto || spec.follows_lr(), || {
                    format!("`lr` auto: `schedule` {} names its rate itself, so none is to be found", spec.schedule)
                })?;
                positive("lr", spec.lr.number())
            },
            common: true,
        }

        /// Optimiser
        optimizer: OptimizerName {
            default: |_| OptimizerName::Adam,
            value_name: "NAME",
        }

        /// Momentum of sgd
        momentum: f64 {
            default: |_| 0.0,
            value_name: "MU",
            check: |spec| {
                zero_or_more("momentum", spec.momentum)?;
                require(spec.momentum == 0.0 || spec.optimizer == OptimizerName::Sgd, || {
                    "`momentum` belongs to `optimizer` sgd".to_owned()
                })
            },
        }

        /// Weight decay
        weight_decay: f64 {
            default: |given| if given.options.optimizer == Some(OptimizerName::Adamw) { 0.01 } else { 0.0 },
            default_text: "torch's: 0, adamw 0.01",
            value_name: "LAMBDA",
            check: |spec| zero_or_more("weight_decay", spec.weight_decay),
        }

        /// Scale gradients to this common norm at most
        clip_norm: Option<f64> {
            default: |_| None,
            default_text: "off",
            value_name: "NORM",
            check: |spec| spec.clip_norm.map_or(Ok(()), |limit| positive("clip_norm", limit)),
        }

        /// Decides weights, order, split, flips and dropout
        seed: u64 {
            default: |_| 0,
            value_name: "N",
            // TOML's integers end there.
            check: |spec| require(i64::try_from(spec.seed).is_ok(), || {
                format!("`seed` must be at most {}, not {}", i64::MAX, spec.seed)
            }),
            common: true,
        }
    } } };
}
