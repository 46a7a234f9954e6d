use crate::loading::Misfit;
use crate::{MODELS, Shape};

/// What can go wrong with a network.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such architecture.
    #[error("there is no model `{name}`; known are {}", MODELS.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
    },
    /// Nothing to compute.
    #[error("a network needs an image and classes, not {input} and {classes} classes")]
    Empty {
        /// The image's shape.
        input: Shape,
        /// The number of classes.
        classes: usize,
    },
    /// BatchNorm in training needs two values a channel.
    #[error(
        "BatchNorm layer `{layer}` got one value per channel in training (a batch of one image?): it cannot \
         normalise that. Use a batch size of 2 or more"
    )]
    OneValuePerChannel {
        /// The layer.
        layer: String,
    },
    /// A device other than the processor failed.
    #[error("{device} failed: {problem}. If its memory is full, take a smaller `batch_size` or `image_size`")]
    Device {
        /// Its name.
        device: String,
        /// What it said.
        problem: String,
    },
    /// A network that cannot be computed in 8-bit integers, or a file that is not such a network.
    #[error("{model} in int8: {problem}")]
    CannotQuantise {
        /// The network's name.
        model: String,
        /// What is wrong.
        problem: String,
    },
    /// A network in 8-bit integers cannot be trained.
    #[error("a network in int8 evaluates only, and from the images on")]
    EvaluatesOnly,
    /// Weights that do not fit the network.
    #[error("{0}")]
    WeightsDoNotFit(Box<Misfit>),
    /// Weights that are no numbers.
    #[error(
        "`{array}` holds {count} NaN or infinite numbers among {values}{}: nothing of use comes out of such a network. \
         Take weights from before the training went wrong",
        and_others(*others)
    )]
    NotFinite {
        /// The first array that holds some.
        array: String,
        /// How many.
        count: usize,
        /// Of how many numbers.
        values: usize,
        /// How many other arrays hold some.
        others: usize,
    },
    /// A network that gives what is no number, of finite weights.
    #[error(
        "{model} gives {count} NaN or infinite numbers among {values} outputs: its weights are finite, but too large, \
         or a variance is negative"
    )]
    OutputNotFinite {
        /// The network's name.
        model: String,
        /// How many.
        count: usize,
        /// Of how many outputs.
        values: usize,
    },
    /// A moment of the optimiser is not in a checkpoint.
    #[error("the optimiser's `{name}` {shape:?} is missing")]
    MomentMissing {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and so does one other array".to_owned(),
        _ => format!(", and so do {count} other arrays"),
    }
}

impl ModelError {
    /// Whether weights are at fault, and not what was asked for.
    #[must_use]
    pub fn is_of_weights(&self) -> bool {
        matches!(
            self,
            Self::WeightsDoNotFit(_)
                | Self::NotFinite { .. }
                | Self::OutputNotFinite { .. }
                | Self::MomentMissing { .. }
                | Self::CannotQuantise { .. }
        )
    }
}
