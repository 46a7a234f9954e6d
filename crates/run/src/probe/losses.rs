//! The gap between training and validation, measured in evaluation mode and with other statistics of BatchNorm.

use super::batch_norm::{batches, reestimate, with_own_statistics};
use super::material::Material;
use crate::classifier::Classifier;
use crate::error::RunError;
use crate::observer::Observer;
use serde_json::{Value, json};
use wellfit_data::{Dataset, Loader};
use wellfit_diagnose::probes::Losses;
use wellfit_record::Metric;
use wellfit_rng::{Rng, Stream};

/// Training images that are judged in evaluation mode: their loss is then known as well as that of so many validation
/// images.
const MOST_IMAGES: usize = 10_000;
/// The seed that chooses them.
const SEED: u64 = 0;

/// Of what the gap consists, by the weights of the best epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct GapProbe {
    /// The best epoch.
    pub epoch: Option<u32>,
    /// Training images that were judged, chosen at random.
    pub train_images: usize,
    /// Validation images that were judged.
    pub val_images: usize,
    /// Images a batch, as in training.
    pub batch_size: usize,
    /// Batches of training images that statistics were estimated from; none without BatchNorm.
    pub batches: Option<usize>,
    /// The losses, in nats.
    pub losses: Losses,
    /// The accuracies that go with them.
    pub accuracies: Losses,
}

/// Measure it.
pub(super) fn gap(material: &Material, observer: &mut dyn Observer) -> Result<Option<GapProbe>, RunError> {
    let (Some(judge), [_]) = (material.judges.first(), material.judges.as_slice()) else { return Ok(None) };
    let (Some(train), val) = (material.part("train"), &material.judged.1) else { return Ok(None) };
    let classifier = &judge.classifier;
    let some = chosen(train);
    let loaders =
        [&some, val].map(|data| batches(data, &classifier.preprocessing, material.batch_size, false));
    let [seen, unseen] = loaders;
    let (seen, unseen) = (seen?, unseen?);
    let [train_now, val_now] = [judged(classifier, &seen, observer)?, judged(classifier, &unseen, observer)?];
    let recorded = |metric| material.best.and_then(|best| best.metrics.get(metric));
    let of = |place: fn((f64, f64)) -> f64, metric| Losses {
        train_recorded: recorded(metric),
        train: place(train_now),
        val: place(val_now),
        ..Losses::default()
    };
    let mut found = GapProbe {
        epoch: material.best.map(|best| best.epoch),
        train_images: some.len(),
        val_images: val.len(),
        batch_size: material.batch_size,
        batches: None,
        losses: of(|(loss, _)| loss, Metric::TRAIN_LOSS),
        accuracies: of(|(_, accuracy)| accuracy, Metric::TRAIN_ACCURACY),
    };
    // A batch of one image has no variance.
    if classifier.network.has_batch_norm() && val.len() > 1 && train.len() > 1 {
        with_other_statistics(&mut found, (classifier, train), [&seen, &unseen], observer)?;
    }
    Ok(Some(found))
}

/// Add the figures with re-estimated statistics and with those of each batch.
fn with_other_statistics(
    found: &mut GapProbe,
    (classifier, train): (&Classifier, &Dataset),
    [seen, unseen]: [&Loader; 2],
    observer: &mut dyn Observer,
) -> Result<(), RunError> {
    let (mut network, engine) = (classifier.network.clone(), classifier.engine());
    let shuffled = batches(train, &classifier.preprocessing, found.batch_size, true)?;
    found.batches = Some(reestimate(&mut network, engine, &shuffled, observer)?);
    let anew = Classifier::alone(network, classifier.classes.clone(), classifier.preprocessing.clone());
    let [train, val] = [judged(&anew, seen, observer)?, judged(&anew, unseen, observer)?];
    let mut network = classifier.network.clone();
    let own = with_own_statistics(&mut network, engine, unseen, observer)?;
    let set = |of: &mut Losses, place: fn((f64, f64)) -> f64| {
        of.train_reestimated = Some(place(train));
        of.val_reestimated = Some(place(val));
        of.val_batch = Some(place(own));
    };
    set(&mut found.losses, |(loss, _)| loss);
    set(&mut found.accuracies, |(_, accuracy)| accuracy);
    Ok(())
}

/// Loss and accuracy in evaluation mode.
fn judged(
    classifier: &Classifier,
    loader: &Loader,
    observer: &mut dyn Observer,
) -> Result<(f64, f64), RunError> {
    let found = classifier.evaluate_batches(loader, observer)?;
    Ok((found.loss, found.accuracy))
}

/// Up to [`MOST_IMAGES`] of the training images, in their order.
fn chosen(train: &Dataset) -> Dataset {
    let mut order = Rng::new(SEED, Stream::Split, 0, 0).permutation(train.len());
    order.truncate(MOST_IMAGES);
    order.sort_unstable();
    train.subset(&order)
}

impl GapProbe {
    /// For programs; a value is null where it could not be measured.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let of = |values: &Losses| {
            json!({
                "train_recorded": values.train_recorded,
                "train": values.train,
                "train_reestimated": values.train_reestimated,
                "val": values.val,
                "val_reestimated": values.val_reestimated,
                "val_batch": values.val_batch,
            })
        };
        let gap = self.losses.gap();
        json!({
            "epoch": self.epoch,
            "train_images": self.train_images,
            "val_images": self.val_images,
            "batch_size": self.batch_size,
            "batches": self.batches,
            "losses": of(&self.losses),
            "accuracies": of(&self.accuracies),
            "gap": gap.gap,
            "measurement": gap.measurement,
            "batch_norm_lag": gap.batch_norm_lag,
            "batch_or_shift": gap.batch_or_shift,
            "rest": gap.rest,
        })
    }
}
