//! What training records for its diagnosis besides the curves ([`wellfit_record::Statistics`]).
//!
//! It changes no bit of the training: nothing here writes to the network, the optimiser or the position in the data. All
//! of it follows from seed and position, so a run that is resumed records the same.
//!
//! * `sample` single steps, one in a hundred: the step length α, the norms of the layers, silent ReLUs
//! * `answers` the answers of a validation pass, class by class and image by image
//! * `lines` what a run under way records, and when
//! * `judged` training images that are judged as validation images are

mod answers;
mod judged;
mod lines;
mod sample;

pub(crate) use answers::{PlainLoss, ValidationAnswers};
pub(crate) use judged::JudgedTraining;
pub use judged::TrainEval;
pub(crate) use sample::Sample;

use wellfit_data::Loader;
use wellfit_models::Network;
use wellfit_record::{RunStatistics, Statistics};

/// Places of the weights whose norms are recorded: those of convolutions and linear layers. Biases and normalisations
/// have one dimension.
fn layers(network: &Network) -> impl Iterator<Item = usize> {
    network.parameters.iter().enumerate().filter(|(_, p)| p.shape.len() > 1).map(|(place, _)| place)
}

/// The first line.
pub(crate) fn head(network: &Network, (train, validation): (&Loader, &Loader)) -> Statistics {
    let counts =
        |loader: &Loader| loader.dataset().class_counts().into_iter().map(|count| count as u64).collect();
    Statistics::Run(RunStatistics {
        layers: layers(network).map(|place| network.parameters[place].name.clone()).collect(),
        relus: network.relus().map(|(_, node)| node.name.clone()).collect(),
        train_images: counts(train),
        val_images: counts(validation),
    })
}

/// Four significant digits: more would say nothing, and the file would be twice as long.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// The same of what is finite.
fn finite(number: f64) -> Option<f64> {
    number.is_finite().then(|| rounded(number))
}
