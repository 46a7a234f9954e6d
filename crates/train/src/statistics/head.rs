//! What the figures are about: the first line of the file.

use wellfit_data::Loader;
use wellfit_models::Network;
use wellfit_record::{RunStatistics, Statistics};

/// Places of the weights whose norms are recorded: those of convolutions and linear layers. Biases and normalisations
/// have one dimension.
pub(super) fn layers(network: &Network) -> impl Iterator<Item = usize> {
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
