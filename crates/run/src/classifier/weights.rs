//! Weights on disk, and the networks they are for.

use super::CONFIG;
use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::checks::LARGEST_IMAGE;
use std::path::{Path, PathBuf};
use wellfit_base::file::read_text;
use wellfit_data::Preprocessing;
use wellfit_models::{MODELS, Network, Shape, build, least_parameters};
use wellfit_record::{RunDir, RunInfo, is_checkpoint, read_checkpoint};
use wellfit_train::{BEST, Hints, checkpoint_weights};
use wellfit_weights::WeightFile;

/// The most bytes of a `config.json`: the names of many thousand classes.
const MOST_CONFIG: u64 = 16 << 20;

/// The weight file that `path` means, if it is no run: the file itself, or the one in an exported directory. A
/// checkpoint stands for itself, its weights may be in two files.
#[must_use]
pub fn weight_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() || is_checkpoint(path) {
        return Some(path.to_owned());
    }
    let exported = ["model.safetensors", "model.pth"].map(|name| path.join(name));
    let run = path.join("run.toml").exists();
    exported.into_iter().find(|file| !run && file.is_file())
}

/// The weights in what [`weight_file`] gave.
pub(crate) fn read_weights(path: &Path) -> Result<WeightFile, RunError> {
    if !is_checkpoint(path) {
        return Ok(wellfit_weights::read(path)?);
    }
    Ok(checkpoint_weights(&read_checkpoint(path)?)?)
}

/// What the file says of itself; if that is nothing, what a `config.json` beside it says of `model`.
pub(super) fn hints(
    path: &Path,
    file: &WeightFile,
    model: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Hints, RunError> {
    let told = Hints::from_metadata(&file.metadata)
        .map_err(|error| RunError::Model(format!("{}: {error}", path.display())))?;
    let config = path.with_file_name(CONFIG);
    if !told.is_empty() || !config.is_file() {
        return Ok(told);
    }
    let text = read_text(&config, MOST_CONFIG).map_err(|error| error.to_string());
    let beside = text.and_then(|text| Hints::from_timm_config(&text).map_err(|error| error.to_string()));
    match beside {
        Ok(hints) if model.is_none_or(|model| hints.model.as_deref() == Some(model)) => {
            if let Some(unlike) = &hints.unlike {
                observer.notice(&Notice::PreprocessingUnlike { path: config, unlike: unlike.clone() });
            }
            Ok(hints)
        }
        Ok(_) => Ok(told),
        Err(problem) => {
            observer.notice(&Notice::ConfigLeftOut { path: config, problem });
            Ok(told)
        }
    }
}

/// Preprocessing from a file must make sense, and must not ask for more memory than there is.
pub(super) fn check(preprocessing: &Preprocessing) -> Result<(), String> {
    preprocessing.validate().map_err(|error| error.to_string())?;
    let largest = preprocessing.size.0.max(preprocessing.size.1);
    if largest > LARGEST_IMAGE {
        return Err(format!("images of {largest} pixels a side are more than {LARGEST_IMAGE}"));
    }
    Ok(())
}

/// How many classes the file's head has.
pub(super) fn outputs(
    model: &str,
    file: &WeightFile,
    source: &Path,
    preprocessing: &Preprocessing,
) -> Result<usize, RunError> {
    check_room(model, file, source, input(preprocessing), 2)?;
    let head = build(model, input(preprocessing), 2)?.head();
    let bias = file.get(&format!("{head}bias")).and_then(|array| array.shape.first().copied());
    bias.ok_or_else(|| RunError::Model(format!("the weights have no `{head}bias`: they are not a {model}'s")))
}

/// What a file says of its classes and images must fit the numbers in it, before memory is taken for a network.
pub(super) fn check_room(
    model: &str,
    file: &WeightFile,
    source: &Path,
    input: Shape,
    classes: usize,
) -> Result<(), RunError> {
    let held: usize = file.arrays.iter().map(|(_, array)| array.data.len()).sum();
    let least = least_parameters(model, input, classes);
    if MODELS.contains(&model) && held < least {
        return Err(RunError::Model(format!(
            "{}: the weights are not those of a {model} for {classes} classes and this image size: that has at \
             least {least} parameters, the file only {held}",
            source.display()
        )));
    }
    Ok(())
}

pub(super) fn input(preprocessing: &Preprocessing) -> Shape {
    Shape::image(preprocessing.size.0, preprocessing.size.1, preprocessing.channels)
}

pub(super) fn load(
    model: &str,
    file: &WeightFile,
    source: &Path,
    preprocessing: &Preprocessing,
    classes: usize,
) -> Result<Network, RunError> {
    check_room(model, file, source, input(preprocessing), classes)?;
    let mut network = build(model, input(preprocessing), classes)?;
    network.load(file, false).map_err(|error| RunError::weights(source, &error))?;
    Ok(network)
}

/// The model file of a finished run, or the best checkpoint of one that was interrupted.
pub(super) fn best_weights(run: &RunDir, info: &RunInfo) -> Result<(WeightFile, PathBuf), RunError> {
    let path = run.path().join(info.model_file());
    if path.is_file() {
        return Ok((read_weights(&path)?, path));
    }
    let newest = run.newest_good(Some(BEST))?;
    let Some(found) = newest.found else {
        let name = run.path().display();
        return Err(RunError::Output(match newest.skipped.first() {
            Some(damaged) => format!("{damaged}; `wellfit resume {name}` goes on from what is whole"),
            None => format!("{name} has no weights yet: no epoch was finished"),
        }));
    };
    let file = checkpoint_weights(&found)?;
    Ok((file, found.checkpoint.path))
}
