//! The group of settings about what is saved, and when.

/// Adds these settings to the list (see `super::collect`).
macro_rules! checkpoint_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Checkpoints {
        /// The metric whose best epoch gives the weights that are kept
        ///
        /// Ties are broken by the lower validation loss, then by the earlier epoch. A `monitor` that is given decides
        /// here too.
        best: String {
            default: |given| given.options.monitor.clone().unwrap_or(Metric::VAL_ACCURACY.name().to_owned()),
            default_text: "what `monitor` says where it is given, else val_accuracy; `lab transfer`: val_loss",
            value_name: "METRIC",
            names: Metric::names,
            check: |spec| checks::known_metric("best", &spec.best),
        }

        /// Also save weights each epoch under this name, such as `epoch-{epoch:02d}-{val_loss:.4f}.safetensors`
        checkpoint: Option<String> {
            default: |_| None,
            value_name: "NAME",
            check: |spec| spec.check_checkpoint_name(),
        }

        /// The metric that decides which of these is best
        checkpoint_monitor: String {
            default: |_| Metric::VAL_LOSS.name().to_owned(),
            value_name: "METRIC",
            check: |spec| checks::known_metric("checkpoint_monitor", &spec.checkpoint_monitor),
        }

        /// Whether that metric should fall or rise
        checkpoint_mode: CheckpointMode {
            default: |_| CheckpointMode::Auto,
            value_name: "MODE",
        }

        /// Save them only when better than all before
        save_best_only: bool {
            default: |_| false,
            check: |spec| require(spec.checkpoint.is_some() || !spec.save_best_only, || {
                "`save_best_only` says which files `checkpoint` NAME writes: give `checkpoint` as well".to_owned()
            }),
        }

        /// Record which validation images each epoch answers rightly, as `prove` needs them
        record_answers: bool {
            default: |_| false,
            immaterial: true,
        }

        /// Save the state of the run this often, besides at the end of each epoch, such as 50steps or 10min
        checkpoint_every: Option<String> {
            default: |_| None,
            value_name: "INTERVAL",
            check: |spec| spec.every().map(drop),
            immaterial: true,
        }

        /// Do not record what `diagnose` reads besides the curves: gradient norms, silent units, step lengths, single losses
        ///
        /// It is in `statistics.jsonl` of the run and changes no result. What costs time is recorded of one step in a hundred.
        no_statistics: bool {
            default: |_| false,
            immaterial: true,
        }

        /// Leave out the run's page, `report.html`, and the small pictures that it shows
        ///
        /// `wellfit report` makes the page from the record at any time, then without the pictures.
        no_report: bool {
            default: |_| false,
            immaterial: true,
        }

        /// Also write the curves as TensorBoard's event file in the run's directory, while the run goes on
        ///
        /// `wellfit export --format tensorboard` makes it later.
        tensorboard: bool {
            default: |_| false,
            immaterial: true,
        }

        /// Also log the run to the MLflow server there, such as `http://127.0.0.1:5000`
        ///
        /// The experiment is the data's name, or what MLFLOW_EXPERIMENT_NAME says. MLFLOW_TRACKING_TOKEN, or
        /// MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are sent along.
        mlflow: Option<String> {
            default: |_| None,
            default_text: "none",
            value_name: "URL",
            immaterial: true,
            check: |spec| require(spec.mlflow.as_deref().is_none_or(checks::is_address), || {
                "`mlflow` must be an address that begins with http:// or https://, without a name and password".to_owned()
            }),
        }

        /// Judge training images as validation does, for `diagnose`, after every so many epochs; 0 for never
        ///
        /// All of them, or 2000 where there are more: in evaluation mode, without augmentation. This takes a pass of its own.
        train_eval: Option<u32> {
            default: |_| None,
            default_text: "as often as it is 1.5 % of the images trained on",
            value_name: "EPOCHS",
            check: |spec| require(spec.train_eval.is_none() || !spec.no_statistics, || {
                "`train_eval` is part of the statistics, which `no_statistics` turns off: give one of them".to_owned()
            }),
            immaterial: true,
        }

        /// Saved states to keep besides the newest, in case that one gets damaged
        keep: usize {
            default: |_| 1,
            value_name: "N",
            check: |spec| require(spec.keep <= 1_000_000, || {
                format!("`keep` must be at most 1000000, not {}", spec.keep)
            }),
            immaterial: true,
        }
    } } };
}
