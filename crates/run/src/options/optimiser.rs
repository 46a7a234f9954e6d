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

        /// Parts in which each batch is computed, a power of two; processes of an MPI launcher share them
        ///
        /// Each part is normalised by its own BatchNorm statistics, as in data-parallel training, and gradients are summed in
        /// a fixed order: the results depend on the number of parts, not on that of processes. `batch_size` is that of
        /// the whole batch.
        shards: usize {
            default: |_| 1,
            default_text: "1; of processes that mpirun or srun started 4, or as many as there are",
            value_name: "N",
            check: |spec| {
                let shards = spec.shards;
                require(shards.is_power_of_two() && shards <= checks::MOST_SHARDS, || {
                    format!("`shards` must be 1, 2, 4 or another power of two up to {}, not {shards}", checks::MOST_SHARDS)
                })?;
                require(shards == 1 || spec.batch_size >= 2 * shards, || {
                    format!("`shards` {shards}: each needs two images of a batch, so take `batch_size` {} or more", 2 * shards)
                })?;
                require(shards == 1 || spec.device == "cpu", || {
                    format!("`shards` {shards} is for the processor: leave it out with `device` {}", spec.device)
                })
            },
        }

        /// BatchNorm takes the statistics of the whole batch, and not of each of its `shards` (SyncBatchNorm)
        sync_bn: bool {
            default: |_| false,
            check: |spec| require(!spec.sync_bn || spec.shards > 1, || {
                "`sync_bn` joins the parts of a batch, and with `shards` 1 there is one: leave it out, or give `shards`".to_owned()
            }),
        }

        /// How gradients are sent between processes: f32, or bf16 for half the bytes
        ///
        /// With bf16 the results depend on the number of processes.
        reduce_dtype: ReduceDtype {
            default: |_| ReduceDtype::F32,
            value_name: "NAME",
            check: |spec| require(spec.reduce_dtype == ReduceDtype::F32 || spec.shards > 1, || {
                "`reduce_dtype` is for several processes, and with `shards` 1 there is one: leave it out, or give `shards`".to_owned()
            }),
        }

        /// Multiply `lr`, a rate for steps of 32 images, by what a step has of that (linear), its square root, or not
        ///
        /// The images of a step are `batch_size` times `accumulate`, over all processes. Linear: Goyal et al. 2017, who begin
        /// with a `warmup`; sqrt: Krizhevsky 2014.
        scale_lr: ScaleLr {
            default: |_| ScaleLr::None,
            value_name: "RULE",
            check: |spec| require(spec.scale_lr == ScaleLr::None || (spec.lr != LrSetting::Auto && spec.follows_lr()), || {
                let why = if spec.lr == LrSetting::Auto { "`lr` auto finds" } else { "`schedule` names" };
                format!("`scale_lr` {}: {why} the rate of such steps itself, so none is to be scaled", spec.scale_lr)
            }),
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
