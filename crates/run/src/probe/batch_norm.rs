//! BatchNorm with other statistics than the running ones.

use crate::error::RunError;
use wellfit_data::{Augmentations, Dataset, Loader, LoaderOptions, Preprocessing};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::{DropoutKey, Engine, Network};
use wellfit_train::{Callback, TrainError};

/// Batches that statistics are estimated from, as in Wu & Johnson 2021.
pub(super) const MOST_BATCHES: usize = 200;

/// The images of a part in batches, as validation has them: without augmentation.
pub(super) fn batches(
    data: &Dataset,
    preprocessing: &Preprocessing,
    batch_size: usize,
    shuffle: bool,
) -> Result<Loader, RunError> {
    let batch_size = batch_size.clamp(1, data.len().max(1));
    let options = LoaderOptions { batch_size, shuffle, merge_last_single: true, ..LoaderOptions::default() };
    Ok(Loader::new(data.clone(), preprocessing.clone(), Augmentations::none(), options)?)
}

/// Let the statistics of each layer that normalises by batches be those of one batch, unbiased as running ones are.
fn show(network: &mut Network, engine: &dyn Engine, images: &[f32]) -> Result<(), RunError> {
    for norm in network.norms.iter_mut().filter(|norm| !norm.frozen) {
        // The mean of all batches, of which this is the first.
        (norm.batches, norm.cumulative) = (0, true);
        norm.mean.fill(0.0);
        norm.variance.fill(1.0);
    }
    drop(engine.forward(network, images, 0, DropoutKey { seed: 0, step: 0, row: 0 })?);
    Ok(())
}

/// Put into the network the statistics of all images of up to [`MOST_BATCHES`] batches together: the mean, and the variance
/// `E[x²] - mean²`, of inputs that were normalised by their own batch (Wu & Johnson 2021, section 3.1). Returns how many
/// batches there were.
pub(super) fn reestimate(
    network: &mut Network,
    engine: &dyn Engine,
    loader: &Loader,
    callback: &mut dyn Callback,
) -> Result<usize, RunError> {
    let mut sums: Vec<Vec<[f64; 2]>> =
        network.norms.iter().map(|norm| vec![[0.0; 2]; norm.mean.len()]).collect();
    let mut count = 0;
    for batch in loader.epoch(0).take(MOST_BATCHES) {
        show(network, engine, &batch?.images)?;
        for (sums, norm) in sums.iter_mut().zip(&network.norms) {
            for (sum, (&mean, &variance)) in sums.iter_mut().zip(norm.mean.iter().zip(&norm.variance)) {
                let (mean, variance) = (f64::from(mean), f64::from(variance));
                sum[0] += mean;
                sum[1] += variance + mean * mean;
            }
        }
        count += 1;
        interrupted(callback)?;
    }
    for (sums, norm) in sums.iter().zip(&mut network.norms).filter(|(_, norm)| !norm.frozen) {
        for (place, sum) in sums.iter().enumerate() {
            let [mean, square] = sum.map(|sum| sum / count as f64);
            norm.mean[place] = mean as f32;
            norm.variance[place] = (square - mean * mean).max(0.0) as f32;
        }
    }
    Ok(count)
}

/// Loss and accuracy in evaluation mode, but for the statistics, which are those of each batch itself.
pub(super) fn with_own_statistics(
    network: &mut Network,
    engine: &dyn Engine,
    loader: &Loader,
    callback: &mut dyn Callback,
) -> Result<(f64, f64), RunError> {
    let (criterion, classes) = (CrossEntropy::default(), network.outputs());
    let (mut loss, mut right, mut images) = (0.0, 0_usize, 0_usize);
    for batch in loader.epoch(0) {
        let batch = batch?;
        // Dropout is at work while the statistics are found, and not in the pass that is judged.
        show(network, engine, &batch.images)?;
        let logits = engine.evaluate(network, &batch.images, 0)?;
        let of_batch = criterion.loss(&logits, &batch.labels, classes);
        loss += of_batch.value * batch.labels.len() as f64;
        right += of_batch.correct;
        images += batch.labels.len();
        interrupted(callback)?;
    }
    Ok((loss / images as f64, right as f64 / images as f64))
}

fn interrupted(callback: &mut dyn Callback) -> Result<(), RunError> {
    match callback.interrupted() {
        Some(reason) => Err(TrainError::Interrupted { reason }.into()),
        None => Ok(()),
    }
}
