//! The group of settings about the network.

/// Adds these settings to the list (see `super::collect`).
macro_rules! model_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Model {
        /// The architecture; with weights, by default theirs
        model: String {
            default: |given| given.folder_or_idx("resnet50", "resnet20").to_owned(),
            default_text: "for image files efficientnet_lite0 with the weights in the program; without weights resnet50; for IDX data \
                           resnet20",
            value_name: "NAME",
            names: || wellfit_models::MODELS.join(", "),
            check: |spec| {
                let known = &*wellfit_models::MODELS;
                require(known.contains(&spec.model.as_str()), || {
                    format!("there is no model `{}`; known are {}", spec.model, known.join(", "))
                })
            },
            common: true,
        }

        /// Start from these weights: imagenet, imagenet-v1 or imagenet-v2 (torchvision's for `model`), hf:ORG/NAME (the
        /// Hugging Face hub), a .pth or .safetensors file with torchvision's names, an exported directory, or a run
        weights: Option<PathBuf> {
            default: |_| None,
            value_name: "WEIGHTS",
            common: true,
        }

        /// Options that go well together; any option that is given overrides the recipe's
        ///
        /// finetune: a pretrained network, its head first, then all of it. linear-probe: a new head alone. scratch: a
        /// network from random weights. textbook: what `lab transfer` does.
        recipe: Option<RecipeName> {
            default: |_| None,
            default_text: "with `weights` finetune, unless `freeze`",
            value_name: "NAME",
            common: true,
        }

        /// Take weights by name from this machine only; never download
        offline: bool {
            default: |_| false,
            immaterial: true,
        }

        /// Keep the backbone fixed and train a new head only
        freeze: bool {
            default: |_| false,
            common: true,
        }

        /// Train the head alone for the first epochs, then the whole network with a fresh optimiser
        ///
        /// The rate is `lr` in these epochs, and `schedule` begins after them; so does early stopping. As fastai's
        /// `fine_tune(epochs, freeze_epochs=N)`.
        freeze_epochs: u32 {
            default: |given| match given.options.freeze {
                Some(true) => 0,
                _ => given.options.unfreeze_every.unwrap_or(0),
            },
            default_text: "0; `unfreeze_every`",
            value_name: "N",
            check: |spec| {
                require(spec.freeze_epochs == 0 || spec.freeze_epochs < spec.epochs, || {
                    format!(
                        "`freeze_epochs` {} must be below `epochs` {}; `freeze` keeps the backbone fixed throughout",
                        spec.freeze_epochs, spec.epochs
                    )
                })?;
                require(spec.freeze_epochs == 0 || !spec.freeze, || {
                    "`freeze` keeps the backbone fixed throughout, `freeze_epochs` for the first epochs: choose one"
                        .to_owned()
                })
            },
        }

        /// Keep BatchNorm's running statistics, and normalise by them, while all weights train
        ///
        /// For pretrained networks and small batches. As a Keras model whose base is called with `training=False`.
        freeze_batch_norm: bool {
            default: |_| false,
        }

        /// What the learning rate is multiplied by for all layers but the head (discriminative rates)
        backbone_lr_factor: f64 {
            default: |_| 1.0,
            value_name: "FACTOR",
            check: |spec| positive("backbone_lr_factor", spec.backbone_lr_factor),
        }
    } } };
}
