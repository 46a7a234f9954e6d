//! A trained network with what it needs to read a picture.

use crate::config::{LARGEST_IMAGE, flag_suffix};
use crate::error::CliError;
use std::path::{Path, PathBuf};
use wellfit::data::{RawImage, Transform};
use wellfit::models::{Network, Shape, build};
use wellfit::record::{RunDir, RunInfo};
use wellfit::weights::{WeightFile, from_bytes, read};

/// A network, its classes and its preprocessing.
pub struct Classifier {
    /// The network.
    pub network: Network,
    /// The names of its outputs.
    pub classes: Vec<String>,
    /// How a picture becomes its input.
    pub transform: Transform,
}

impl Classifier {
    /// The best weights of the run in `dir`.
    pub fn of_run(dir: &Path) -> Result<Self, CliError> {
        let run = RunDir::open(dir)?;
        let info: RunInfo = run.read_run_toml()?;
        if info.classes.is_empty() {
            return Err(CliError::Output(format!(
                "{} is the run of a lab, which keeps no weights: give one that `wellfit train` made",
                dir.display()
            )));
        }
        let bad = |problem: String| {
            CliError::Output(format!("{}: transform: {problem}", dir.join("run.toml").display()))
        };
        let transform: Transform =
            info.transform.clone().try_into().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        check(&transform).map_err(bad)?;
        let (file, source) = best_weights(&run, &info)?;
        let network = load(&info.model.name, &file, &source, &transform, info.classes.len())?;
        Ok(Self { network, classes: info.classes, transform })
    }

    /// A weight file. What it does not say of itself comes from `model` and `image_size`.
    pub fn of_file(path: &Path, model: Option<&str>, image_size: usize) -> Result<Self, CliError> {
        let file = read(path)?;
        let named = |key: &str| file.metadata.get(key);
        let Some(model) = model.or(named("model").map(String::as_str)) else {
            return Err(CliError::Usage(format!(
                "{} does not say which architecture it is for: give --model, such as --model resnet50",
                path.display()
            )));
        };
        let transform = match named("transform") {
            None => Transform::imagenet((image_size, image_size)),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| error.to_string())
                .and_then(|transform| check(&transform).map(|()| transform))
                .map_err(|problem| CliError::Model(format!("{}: transform: {problem}", path.display())))?,
        };
        let outputs = outputs(model, &file, &transform)?;
        let classes = named("classes").and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
        let classes = classes
            .filter(|classes| classes.len() == outputs)
            .unwrap_or_else(|| (0..outputs).map(|class| class.to_string()).collect());
        let network = load(model, &file, path, &transform, outputs)?;
        Ok(Self { network, classes, transform })
    }

    /// The logits of one picture.
    pub fn logits(&self, image: &RawImage) -> Vec<f32> {
        let mut input = vec![0.0; self.network.input.len()];
        self.transform.apply(image, None, &mut input);
        self.network.evaluate(&input).to_vec()
    }
}

/// A transform from a file must make sense, and must not ask for more memory than there is.
fn check(transform: &Transform) -> Result<(), String> {
    transform.validate().map_err(|error| error.to_string())?;
    let largest = transform.size.0.max(transform.size.1);
    if largest > LARGEST_IMAGE {
        return Err(format!("images of {largest} pixels a side are more than {LARGEST_IMAGE}"));
    }
    Ok(())
}

/// How many classes the file's head has.
fn outputs(model: &str, file: &WeightFile, transform: &Transform) -> Result<usize, CliError> {
    let head = build(model, input(transform), 2)?.head();
    let bias = file.get(&format!("{head}bias")).and_then(|array| array.shape.first().copied());
    bias.ok_or_else(|| CliError::Model(format!("the weights have no `{head}bias`: they are not a {model}'s")))
}

fn input(transform: &Transform) -> Shape {
    Shape::image(transform.size.0, transform.size.1, transform.channels)
}

fn load(
    model: &str,
    file: &WeightFile,
    source: &Path,
    transform: &Transform,
    classes: usize,
) -> Result<Network, CliError> {
    let mut network = build(model, input(transform), classes)?;
    network.load(file, false).map_err(|error| CliError::weights(source, &error))?;
    Ok(network)
}

/// The model file of a finished run, or the best checkpoint of one that was interrupted.
fn best_weights(run: &RunDir, info: &RunInfo) -> Result<(WeightFile, PathBuf), CliError> {
    let suffix = flag_suffix(info.lr_scheduler, info.early_stopping);
    let path = run.path().join(format!("model{suffix}.safetensors"));
    if path.is_file() {
        return Ok((read(&path)?, path));
    }
    let Some(found) = run.newest_good(Some("best"))?.found else {
        return Err(CliError::Output(format!(
            "{} has no weights yet: no epoch was finished",
            run.path().display()
        )));
    };
    let path = found.checkpoint.path.clone();
    let bytes = found.files.get("model.safetensors").map_or(&[][..], |bytes| bytes);
    let file = from_bytes(bytes).map_err(|fault| CliError::Model(format!("{}: {fault}", path.display())))?;
    Ok((file, path))
}
