//! Preprocessing and augmentation of a run, from its settings and training images.

use crate::error::RunError;
use crate::options::RunSpec;
use std::sync::Arc;
use wellfit_data::augment::{
    Mixing, RandAugment, RandomAffine, RandomErasing, RandomGrayscale, RandomPerspective, RandomResizedCrop,
    RandomRotation, TrivialAugmentWide,
};
use wellfit_data::{Augmentation, Augmentations, Dataset, Depth, Preprocessing};
use wellfit_models::architecture;

/// What is done to every image of a run. It travels with the weights.
pub(crate) fn preprocessing(spec: &RunSpec, train: &Dataset) -> Result<Preprocessing, RunError> {
    let size = (spec.image_size, spec.image_size);
    let (size, channels) = match train.native_size() {
        None => (size, 3),
        Some((height, width, channels)) => {
            let colour = architecture(&spec.model)?.colour;
            let own = spec.image_size == height.max(width);
            (if own { (height, width) } else { size }, if colour { 3 } else { channels })
        }
    };
    let depth = spec.depth;
    if train.native_size().is_some() && depth != Depth::default() {
        let problem = format!("`depth` {depth} is for image files: these data have 8 bits");
        return Err(RunError::setting("depth", problem));
    }
    let (mean, std) = spec.scaling.statistics(train, channels, depth)?;
    let (resize, interpolation) = (spec.resize, spec.interpolation);
    Ok(Preprocessing { size, channels, mean, std, depth, resize, interpolation })
}

/// What is done to training images at random, in torchvision's usual order.
pub(crate) fn augmentations(spec: &RunSpec) -> Result<Augmentations, RunError> {
    let mut steps: Vec<Arc<dyn Augmentation>> = Vec::new();
    if spec.random_resized_crop > 0.0 {
        steps.push(Arc::new(RandomResizedCrop::new(spec.random_resized_crop..=1.0)));
    }
    steps.extend(Augmentations::flips(spec.hflip, spec.vflip).steps().iter().cloned());
    let RunSpec { rotation: degrees, translate, zoom, shear, .. } = *spec;
    if translate > 0.0 || zoom > 0.0 || shear > 0.0 {
        steps.push(Arc::new(RandomAffine { degrees, translate, zoom, shear }));
    } else if degrees > 0.0 {
        steps.push(Arc::new(RandomRotation { degrees }));
    }
    if spec.perspective > 0.0 {
        steps.push(Arc::new(RandomPerspective { distortion: spec.perspective, probability: 0.5 }));
    }
    if spec.trivial_augment {
        steps.push(Arc::new(TrivialAugmentWide));
    }
    if let Some(magnitude) = spec.randaugment {
        steps.push(Arc::new(RandAugment { magnitude, ..RandAugment::default() }));
    }
    if spec.color_jitter.is_on() {
        steps.push(Arc::new(spec.color_jitter.0));
    }
    if spec.grayscale > 0.0 {
        steps.push(Arc::new(RandomGrayscale { probability: spec.grayscale }));
    }
    if spec.erasing > 0.0 {
        steps.push(Arc::new(RandomErasing { probability: spec.erasing }));
    }
    let mixing = Mixing { mixup: spec.mixup, cutmix: spec.cutmix };
    if mixing.mixup > 0.0 || mixing.cutmix > 0.0 {
        steps.push(Arc::new(mixing));
    }
    Ok(Augmentations::new(steps)?)
}

/// Preprocessing and flips in one table, as `run.toml` and weight files have held them from the first version on.
pub(crate) fn recorded(
    preprocessing: &Preprocessing,
    spec: &RunSpec,
) -> Result<toml::Value, toml::ser::Error> {
    let mut value = toml::Value::try_from(preprocessing)?;
    if let Some(table) = value.as_table_mut() {
        table.insert("hflip".to_owned(), spec.hflip.into());
        table.insert("vflip".to_owned(), spec.vflip.into());
    }
    Ok(value)
}
