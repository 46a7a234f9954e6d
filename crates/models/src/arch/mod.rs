//! The architectures, one file a family. To add one, write its entry in the family's list; a new family also needs
//! its line in `FAMILIES`.

mod cost;
mod efficientnet;
pub mod mlp;
mod mobile;
mod mobilenet_v3;
mod published;
pub mod resnet;

pub use cost::{Cost, cost};
pub use published::{Published, published, published_lite0};

use crate::ModelError;
use crate::graph::{Builder, Network, Shape};
use crate::ops::Op;
use std::sync::LazyLock;

/// All families.
const FAMILIES: [&[Architecture]; 4] =
    [mlp::FAMILY, resnet::FAMILY, mobilenet_v3::FAMILY, efficientnet::FAMILY];

/// What an architecture is and needs.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// Its name, torchvision's where it has one.
    pub name: &'static str,
    /// The height and width, in pixels, that its published weights were trained at; none where there are none.
    pub image_size: Option<usize>,
    /// Whether its input has three channels (RGB) even for grey data.
    pub colour: bool,
    /// Whether the published weights were trained on pictures resized bicubically; all others bilinearly.
    pub bicubic: bool,
    /// torchvision's files of ImageNet weights, without `.pth`; the newest first.
    pub weight_files: &'static [&'static str],
    /// What other packages call an array of that name of ours, for each package; none for names that they lack.
    pub other_names: &'static [fn(&str) -> Option<String>],
    /// How often training drops a sample on its way through the last residual block; in the blocks before that grows
    /// linearly. None for networks without such blocks.
    pub stochastic_depth: Option<f64>,
    /// Builds the network for images of a shape and a number of classes.
    pub build: fn(&Self, Shape, usize) -> Builder,
}

/// The names [`build`] knows.
pub static MODELS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| architectures().map(|architecture| architecture.name).collect());

/// Every architecture.
pub fn architectures() -> impl Iterator<Item = &'static Architecture> {
    FAMILIES.into_iter().flatten()
}

/// The architecture of that name.
///
/// # Errors
/// If there is none.
pub fn architecture(name: &str) -> Result<&'static Architecture, ModelError> {
    let known = architectures().find(|architecture| architecture.name == name);
    known.ok_or_else(|| ModelError::UnknownModel { name: name.to_owned() })
}

/// Build an architecture by name, with zero weights: initialise or load them next.
///
/// # Errors
/// For an unknown name, no classes, or an empty image.
pub fn build(name: &str, input: Shape, classes: usize) -> Result<Network, ModelError> {
    build_with(name, input, classes, DropRates::default())
}

/// How often training drops what, where that is not as the architecture has it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DropRates {
    /// Stochastic depth: a sample on its way through the last residual block, where there are such blocks.
    pub stochastic_depth: Option<f64>,
    /// Dropout: an input of the last layer, the head. That of torchvision's `dropout` where the architecture has one there,
    /// and timm's `drop_rate` of all networks.
    pub dropout: Option<f64>,
}

/// [`build`] with other drop rates than the architecture's own.
///
/// ```
/// use wellfit_models::{DropRates, Shape, build_with};
/// let rates = DropRates { dropout: Some(0.5), ..DropRates::default() };
/// let network = build_with("resnet18", Shape::image(32, 32, 3), 10, rates)?;
/// assert!(network.summary().contains("Dropout(p=0.5)"));
/// # Ok::<(), wellfit_models::ModelError>(())
/// ```
///
/// # Errors
/// As [`build`].
pub fn build_with(name: &str, input: Shape, classes: usize, rates: DropRates) -> Result<Network, ModelError> {
    if classes == 0 || input.len() == 0 {
        return Err(ModelError::Empty { input, classes });
    }
    let mut architecture = *architecture(name)?;
    if architecture.stochastic_depth.is_some() {
        architecture.stochastic_depth = rates.stochastic_depth.or(architecture.stochastic_depth);
    }
    let mut builder = (architecture.build)(&architecture, input, classes);
    if let Some(p) = rates.dropout {
        builder.drop_before_head(p as f32);
    }
    Ok(builder.finish())
}

/// How many parameters [`build`]'s network has at the least, found without taking memory for them: those of its linear
/// layers, which grow with the classes and the input. A file with fewer is not for that network.
#[must_use]
pub fn least_parameters(name: &str, input: Shape, classes: usize) -> usize {
    let Ok(architecture) = architecture(name) else { return 0 };
    let network = (architecture.build)(architecture, input, classes).without_values();
    let linear = network.nodes.iter().filter(|node| matches!(node.op, Op::Linear(_)));
    let weights = linear.filter_map(|node| node.parameters.first());
    weights.fold(0, |sum: usize, &place| sum.saturating_add(network.parameters[place].count()))
}
