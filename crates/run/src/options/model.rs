//! The group of settings about the network.

/// Adds these settings to the list (see `super::collect`).
macro_rules! model_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Model {
        /// The architecture; with weights, by default theirs
        model: String {
            default: |given| given.folder_or_idx("resnet50", "resnet20").to_owned(),
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
    } } };
}
