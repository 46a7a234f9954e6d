//! Preprocessing and augmentation of a run, from its settings and training images.

use crate::error::RunError;
use crate::options::RunSpec;
use wellfit_data::{Augmentations, Dataset, Depth, Preprocessing};
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
    Ok(Preprocessing { size, channels, mean, std, depth })
}

/// What is done to training images at random.
pub(crate) fn augmentations(spec: &RunSpec) -> Augmentations {
    Augmentations::flips(spec.hflip, spec.vflip)
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
