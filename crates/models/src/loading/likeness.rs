//! Which architecture a file of weights is for, by its names and shapes.

use super::expected::Expected;
use super::places::{Places, unmarked};
use crate::arch::{Architecture, architectures};
use crate::graph::{Network, Shape};
use wellfit_weights::WeightFile;

/// A size at which every architecture can be built; convolutions do not depend on it.
const ANY_IMAGE: Shape = Shape { height: 32, width: 32, channels: 3 };
/// Weights that are like an architecture have at least this share of its arrays.
const ENOUGH: f64 = 0.5;

/// The architecture that a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// Its name.
    pub model: &'static str,
    /// Whether all is there that it needs before the head, and nothing that belongs to another.
    pub whole: bool,
    /// The image that the weights are for, where they depend on it; a square, if that is possible.
    pub input: Option<Shape>,
}

/// The architecture that has most in common with the file, if it is half of either or more.
#[must_use]
pub fn likeness(file: &WeightFile) -> Option<Likeness> {
    let mut best: Option<(f64, usize, Likeness)> = None;
    for architecture in architectures() {
        let (share, count, found) = compare(architecture, file);
        if share >= ENOUGH && best.as_ref().is_none_or(|best| (share, count) > (best.0, best.1)) {
            best = Some((share, count, found));
        }
    }
    best.map(|(_, _, found)| found)
}

/// How many classes the file's head is for, whatever its name; none if it has no head that the network could take.
#[must_use]
pub fn head_outputs(model: &str, input: Shape, file: &WeightFile) -> Option<usize> {
    let architecture = architectures().find(|architecture| architecture.name == model)?;
    let expected = Expected::of(&outline(architecture, input));
    let places = Places::find(&expected, file);
    let weight = if places.has_head(&expected) {
        places.arrays.get(&format!("{}weight", expected.head)).map(|(_, array)| *array)
    } else {
        places.other_head.as_ref().map(|(_, (_, array), _)| *array)
    };
    weight?.shape.first().copied()
}

/// What the file and an architecture have in common, as a share of what either has and in arrays.
fn compare(architecture: &'static Architecture, file: &WeightFile) -> (f64, usize, Likeness) {
    let any = outline(architecture, ANY_IMAGE);
    let input = first_linear_input(&any, file);
    let channels = first_conv_channels(&any, file);
    let image = input.unwrap_or(Shape { channels: channels.unwrap_or(ANY_IMAGE.channels), ..ANY_IMAGE });
    let expected =
        if image == ANY_IMAGE { Expected::of(&any) } else { Expected::of(&outline(architecture, image)) };
    let places = Places::find(&expected, file);
    let (fit, all) = places.trunk_fit(&expected);
    let share = fit as f64 / (all + places.inside.len()).max(1) as f64;
    let whole = fit == all && places.inside.is_empty();
    (share, fit, Likeness { model: architecture.name, whole, input })
}

/// An architecture without memory for its weights; the number of classes does not matter.
fn outline(architecture: &'static Architecture, image: Shape) -> Network {
    (architecture.build)(architecture, image, 2).without_values()
}

/// The image that a network of linear layers reads, from the shape of its first weight in the file.
fn first_linear_input(network: &Network, file: &WeightFile) -> Option<Shape> {
    let first = network.parameters.first().filter(|first| first.shape.len() == 2)?;
    let found = file.arrays.iter().find(|(name, _)| unmarked(name).ends_with(&first.name));
    let &[outputs, inputs] = &found?.1.shape[..] else { return None };
    let square = |pixels: usize| {
        let side = pixels.isqrt();
        (side > 0 && side * side == pixels).then_some(side)
    };
    let image = |channels: usize| {
        let side = square(inputs / channels).filter(|_| inputs.is_multiple_of(channels))?;
        Some(Shape::image(side, side, channels))
    };
    (outputs == first.shape[0]).then(|| image(3).or_else(|| image(1))).flatten()
}

/// The channels that the first convolution reads in the file.
fn first_conv_channels(network: &Network, file: &WeightFile) -> Option<usize> {
    let first = network.parameters.first().filter(|first| first.shape.len() == 4)?;
    let ends = |name: &str| unmarked(name).ends_with(&first.name);
    let mut found = file.arrays.iter().filter(|(name, array)| ends(name) && array.shape.len() == 4);
    found.find_map(|(_, array)| Some(array.shape[1]).filter(|channels| matches!(channels, 1 | 3)))
}
