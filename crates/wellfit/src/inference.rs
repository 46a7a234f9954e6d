//! A trained network with what it needs to read a picture.

use crate::args::FileArgs;
use crate::config::{LARGEST_IMAGE, image_size, model_file};
use crate::error::CliError;
use crate::output::Output;
use std::path::{Path, PathBuf};
use wellfit::data::Preprocessing;
use wellfit::images::RawImage;
use wellfit::models::{MODELS, Network, Shape, build, least_parameters};
use wellfit::record::{RunDir, RunInfo, is_checkpoint, read_checkpoint};
use wellfit::train::{BEST, Description, Hints, checkpoint_weights};
use wellfit::weights::WeightFile;

/// The description that timm and Hugging Face expect beside weights.
pub const CONFIG: &str = "config.json";

/// A network, its classes and its preprocessing.
pub struct Classifier {
    /// The network.
    pub network: Network,
    /// The names of its outputs.
    pub classes: Vec<String>,
    /// How a picture becomes its input.
    pub transform: Preprocessing,
}

impl Classifier {
    /// What `path` names: a run (its best weights), one of its checkpoints, an exported directory or a weight file.
    pub fn open(path: &Path, args: &FileArgs, out: Output) -> Result<Self, CliError> {
        image_size(args.image_size)?;
        match weight_file(path) {
            Some(file) => Self::of_file(&file, args, out),
            None => Self::of_run(path),
        }
    }

    /// The best weights of the run in `dir`.
    fn of_run(dir: &Path) -> Result<Self, CliError> {
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
        let transform: Preprocessing =
            info.transform.clone().try_into().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        check(&transform).map_err(bad)?;
        let (file, source) = best_weights(&run, &info)?;
        let network = load(&info.model.name, &file, &source, &transform, info.classes.len())?;
        Ok(Self { network, classes: info.classes, transform })
    }

    /// A weight file. What neither it nor a `config.json` beside it says comes from `args`.
    fn of_file(path: &Path, args: &FileArgs, out: Output) -> Result<Self, CliError> {
        let file = read_weights(path)?;
        let hints = hints(path, &file, args.model.as_deref(), out)?;
        let Some(model) = args.model.as_ref().or(hints.model.as_ref()) else {
            return Err(CliError::Usage(format!(
                "{} does not say which architecture it is for: give --model, such as --model resnet50",
                path.display()
            )));
        };
        let size = args.image_size;
        let transform = hints.preprocessing.unwrap_or_else(|| Preprocessing::imagenet((size, size)));
        check(&transform)
            .map_err(|problem| CliError::Model(format!("{}: transform: {problem}", path.display())))?;
        let outputs = outputs(model, &file, path, &transform)?;
        let classes = hints.classes.filter(|classes| classes.len() == outputs);
        let classes = classes.unwrap_or_else(|| (0..outputs).map(|class| class.to_string()).collect());
        let network = load(model, &file, path, &transform, outputs)?;
        Ok(Self { network, classes, transform })
    }

    /// What another program must know to use the network.
    pub fn description(&self) -> Description {
        Description {
            model: self.network.name.clone(),
            classes: self.classes.clone(),
            preprocessing: self.transform.clone(),
        }
    }

    /// The logits of one picture.
    pub fn logits(&self, image: &RawImage) -> Vec<f32> {
        let mut input = vec![0.0; self.network.input.len()];
        self.transform.apply(image, &mut input);
        self.network.evaluate(&input).to_vec()
    }
}

/// The weight file that `path` means, if it is no run: the file itself, or the one in an exported directory. A
/// checkpoint stands for itself, its weights may be in two files.
pub fn weight_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() || is_checkpoint(path) {
        return Some(path.to_owned());
    }
    let exported = ["model.safetensors", "model.pth"].map(|name| path.join(name));
    let run = path.join("run.toml").exists();
    exported.into_iter().find(|file| !run && file.is_file())
}

/// The weights in what [`weight_file`] gave.
pub fn read_weights(path: &Path) -> Result<WeightFile, CliError> {
    if !is_checkpoint(path) {
        return Ok(wellfit::weights::read(path)?);
    }
    Ok(checkpoint_weights(&read_checkpoint(path)?)?)
}

/// What the file says of itself; if that is nothing, what a `config.json` beside it says of `model`.
fn hints(path: &Path, file: &WeightFile, model: Option<&str>, out: Output) -> Result<Hints, CliError> {
    let told = Hints::from_metadata(&file.metadata)
        .map_err(|error| CliError::Model(format!("{}: {error}", path.display())))?;
    let config = path.with_file_name(CONFIG);
    if !told.is_empty() || !config.is_file() {
        return Ok(told);
    }
    let text = std::fs::read_to_string(&config).map_err(|error| error.to_string());
    let beside = text.and_then(|text| Hints::from_timm_config(&text).map_err(|error| error.to_string()));
    match beside {
        Ok(hints) if model.is_none_or(|model| hints.model.as_deref() == Some(model)) => {
            if let Some(unlike) = &hints.unlike {
                out.warn(format!(
                    "{} asks for {unlike}; images are resized bilinearly to the whole input instead",
                    config.display()
                ));
            }
            Ok(hints)
        }
        Ok(_) => Ok(told),
        Err(problem) => {
            out.warn(format!("{} is left out of account: {problem}", config.display()));
            Ok(told)
        }
    }
}

/// A transform from a file must make sense, and must not ask for more memory than there is.
fn check(transform: &Preprocessing) -> Result<(), String> {
    transform.validate().map_err(|error| error.to_string())?;
    let largest = transform.size.0.max(transform.size.1);
    if largest > LARGEST_IMAGE {
        return Err(format!("images of {largest} pixels a side are more than {LARGEST_IMAGE}"));
    }
    Ok(())
}

/// How many classes the file's head has.
fn outputs(model: &str, file: &WeightFile, source: &Path, transform: &Preprocessing) -> Result<usize, CliError> {
    check_room(model, file, source, input(transform), 2)?;
    let head = build(model, input(transform), 2)?.head();
    let bias = file.get(&format!("{head}bias")).and_then(|array| array.shape.first().copied());
    bias.ok_or_else(|| CliError::Model(format!("the weights have no `{head}bias`: they are not a {model}'s")))
}

/// What a file says of its classes and images must fit the numbers in it, before memory is taken for a network.
fn check_room(
    model: &str,
    file: &WeightFile,
    source: &Path,
    input: Shape,
    classes: usize,
) -> Result<(), CliError> {
    let held: usize = file.arrays.iter().map(|(_, array)| array.data.len()).sum();
    let least = least_parameters(model, input, classes);
    if MODELS.contains(&model) && held < least {
        return Err(CliError::Model(format!(
            "{}: the weights are not those of a {model} for {classes} classes and this image size: that has at \
             least {least} parameters, the file only {held}",
            source.display()
        )));
    }
    Ok(())
}

fn input(transform: &Preprocessing) -> Shape {
    Shape::image(transform.size.0, transform.size.1, transform.channels)
}

fn load(
    model: &str,
    file: &WeightFile,
    source: &Path,
    transform: &Preprocessing,
    classes: usize,
) -> Result<Network, CliError> {
    check_room(model, file, source, input(transform), classes)?;
    let mut network = build(model, input(transform), classes)?;
    network.load(file, false).map_err(|error| CliError::weights(source, &error))?;
    Ok(network)
}

/// The model file of a finished run, or the best checkpoint of one that was interrupted.
fn best_weights(run: &RunDir, info: &RunInfo) -> Result<(WeightFile, PathBuf), CliError> {
    let path = run.path().join(model_file(info.lr_scheduler, info.early_stopping));
    if path.is_file() {
        return Ok((read_weights(&path)?, path));
    }
    let newest = run.newest_good(Some(BEST))?;
    let Some(found) = newest.found else {
        let name = run.path().display();
        return Err(CliError::Output(match newest.skipped.first() {
            Some(damaged) => format!("{damaged}; `wellfit resume {name}` goes on from what is whole"),
            None => format!("{name} has no weights yet: no epoch was finished"),
        }));
    };
    let file = checkpoint_weights(&found)?;
    Ok((file, found.checkpoint.path))
}
