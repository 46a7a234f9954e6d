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
    #[error("the weights do not fit {model}: {}", problems.join("; "))]
    WeightsDoNotFit {
        /// The network's name.
        model: String,
        /// The first keys and shapes that do not fit, and how many more.
        problems: Vec<String>,
    },
}
