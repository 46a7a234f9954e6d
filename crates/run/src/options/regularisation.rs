//! The group of settings against overfitting.

/// Adds these settings to the list (see `super::collect`).
macro_rules! regularisation_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Regularisation {
        /// Share of the target spread over all classes
        label_smoothing: f64 {
            default: |_| 0.0,
            value_name: "EPSILON",
            check: |spec| share("label_smoothing", spec.label_smoothing),
        }

        /// How often a sample skips the last residual block in training; in the blocks before that grows linearly
        ///
        /// torchvision's StochasticDepth (mode row), with its rates for EfficientNets, and timm's drop_path_rate for ResNets.
        stochastic_depth: Option<f64> {
            default: |_| None,
            default_text: "the architecture's: EfficientNets 0.2, others 0",
            value_name: "P",
            check: |spec| {
                let Some(p) = spec.stochastic_depth else { return Ok(()) };
                share("stochastic_depth", p)?;
                let blocks = architecture(&spec.model).is_ok_and(|known| known.stochastic_depth.is_some());
                require(blocks, || format!("`stochastic_depth` is for ResNets and EfficientNets, not for {}", spec.model))
            },
        }

        /// Loss: cross-entropy, or focal, which counts what is answered well already for less
        ///
        /// The focal loss of Lin et al. (2017) in its softmax form: the terms of cross-entropy times (1 − p)^γ.
        loss: LossName {
            default: |_| LossName::CrossEntropy,
            value_name: "NAME",
        }

        /// γ of `loss` focal; 0 would be cross-entropy
        focal_gamma: f64 {
            default: |_| 2.0,
            value_name: "GAMMA",
            check: |spec| zero_or_more("focal_gamma", spec.focal_gamma),
        }

        /// How much each class counts in the loss: none, balanced, a list such as 1,2,0.5 or cat=1,dog=2, or a file with
        /// such lines
        ///
        /// balanced: images / (classes × images of the class), as scikit-learn's. The loss is torch's: the weighted sum
        /// divided by the weights of the batch. Numbers alone are in the order of the classes. Classes that a list of
        /// names lacks count 1.
        class_weights: ClassWeights {
            default: |_| ClassWeights::None,
            value_name: "WEIGHTS",
        }

        /// Which images an epoch has: each once, or balanced, as many draws with replacement, every class alike
        ///
        /// balanced is torch's WeightedRandomSampler with a weight of 1 / (images of the class) for each image.
        sampler: SamplerName {
            default: |_| SamplerName::Each,
            value_name: "NAME",
        }
    } } };
}
