//! What learns.

/// Adds these settings to the list (see `super::collect`).
macro_rules! model_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Model {
        /// mlp, mlp-bn, resnet20, resnet18, resnet34, resnet50, resnet101, resnet152
        model: String {
            default: |given| given.folder_or_idx("resnet50", "resnet20").to_owned(),
            value_name: "NAME",
            check: |spec| {
                let known = wellfit_models::MODELS;
                require(known.contains(&spec.model.as_str()), || {
                    format!("there is no model `{}`; known are {}", spec.model, known.join(", "))
                })
            },
            common: true,
        }

        /// Start from these weights: torchvision's names, .pth or .safetensors; or an exported directory
        weights: Option<PathBuf> {
            default: |_| None,
            value_name: "FILE",
            common: true,
        }

        /// Keep the backbone fixed and train a new head only
        freeze: bool {
            default: |_| false,
            common: true,
        }
    } } };
}
