//! Weights on disk, and the networks they are for.

use super::CONFIG;
use crate::config_json::config_hints;
use crate::embedded::{embedded_weights, is_embedded};
use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::checks::LARGEST_IMAGE;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_data::Preprocessing;
use wellfit_models::{HeadTaken, MODELS, Network, Shape, build, head_outputs, least_parameters, likeness};
use wellfit_record::{
    FileEntry, RecordError, RunDir, RunInfo, RunWriter, is_checkpoint, read_checkpoint, sha256,
};
use wellfit_train::{BEST, Hints, checkpoint_weights};
use wellfit_weights::{WeightFile, to_safetensors_bytes};

/// How many of a file's names a message shows.
const SHOWN: usize = 4;

/// The weight file that `path` means, if it is no run: the file itself, or the one in an exported directory. A
/// checkpoint stands for itself, its weights may be in two files, and so does [`EMBEDDED`](crate::EMBEDDED).
#[must_use]
pub fn weight_file(path: &Path) -> Option<PathBuf> {
    if is_embedded(path) || path.is_file() || is_checkpoint(path) {
        return Some(path.to_owned());
    }
    let exported = ["model.safetensors", "model.pth"].map(|name| path.join(name));
    let run = path.join("run.toml").exists();
    exported.into_iter().find(|file| !run && file.is_file())
}

/// Weights and where they were.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The weights.
    pub file: WeightFile,
    /// Their file, or the directory of a checkpoint.
    pub path: PathBuf,
}

/// The weights to start a run from: those in a file, an exported directory or a checkpoint, or the ones that a run
/// keeps.
///
/// # Errors
/// [`RunError::Model`] if there are none or they cannot be read.
pub(crate) fn open_weights(path: &Path) -> Result<Opened, RunError> {
    if let Some(path) = weight_file(path) {
        return Ok(Opened { file: read_weights(&path)?, path });
    }
    if !path.is_dir() {
        return Ok(Opened { file: read_weights(path)?, path: path.to_owned() });
    }
    let kept = RunDir::open(path).map_err(RunError::from).and_then(|run| {
        let info: RunInfo = run.read_run_toml()?;
        best_weights(&run, &info, &mut ())
    });
    let (file, path) = kept.map_err(|error| RunError::Model(format!("no weights to start from: {error}")))?;
    Ok(Opened { file, path })
}

/// The weights in what [`weight_file`] gave.
pub(super) fn read_weights(path: &Path) -> Result<WeightFile, RunError> {
    if is_embedded(path) {
        return embedded_weights();
    }
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
        .map_err(|error| RunError::Model(format!("{}: {error}", path.shown())))?;
    let config = path.with_file_name(CONFIG);
    // A `.pth` may name its classes, which says nothing of the rest.
    let only_classes = told.model.is_none() && told.preprocessing.is_none();
    if !only_classes || !config.is_file() {
        return Ok(told);
    }
    match config_hints(&config) {
        Ok(mut hints) if model.is_none_or(|model| hints.model.as_deref() == Some(model)) => {
            hints.classes = hints.classes.or(told.classes);
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

/// A network that weights are for.
pub(crate) struct Model {
    /// The architecture.
    pub name: String,
    /// The image, where the weights depend on its size.
    pub input: Option<Shape>,
}

/// The architecture that was given, or that the file names or looks like.
pub(super) fn model_of(
    path: &Path,
    file: &WeightFile,
    given: Option<&str>,
    hints: &Hints,
    observer: &mut dyn Observer,
) -> Result<Model, RunError> {
    let told = hints.model.as_deref().filter(|model| MODELS.contains(model));
    if let (Some(given), Some(told)) = (given, told)
        && given != told
    {
        return Err(RunError::Model(format!(
            "{} says that it is for {told}, not {given}: leave `model` out",
            path.shown()
        )));
    }
    if let Some(name) = given.or(told) {
        let like = if hints.preprocessing.is_none() { likeness(file) } else { None };
        let input = like.filter(|like| like.model == name).and_then(|like| like.input);
        return Ok(Model { name: name.to_owned(), input });
    }
    let Some(like) = likeness(file) else {
        return Err(RunError::Model(unlike(path, file)));
    };
    if like.whole {
        observer.notice(&Notice::ModelRecognised { path: path.to_owned(), model: like.model });
    }
    Ok(Model { name: like.model.to_owned(), input: like.input })
}

/// The architecture of weights to start from, if that is not given.
pub(crate) fn model_in(opened: &Opened, observer: &mut dyn Observer) -> Result<String, RunError> {
    let Opened { file, path } = opened;
    let hints = hints(path, file, None, observer)?;
    Ok(model_of(path, file, None, &hints, observer)?.name)
}

/// What to say of weights that look like no known network.
fn unlike(path: &Path, file: &WeightFile) -> String {
    let some: Vec<String> =
        file.arrays.iter().take(SHOWN).map(|(name, array)| format!("‘{name}’ {:?}", array.shape)).collect();
    format!(
        "{} looks like none of the architectures that are known ({}). It begins with {}",
        path.shown(),
        MODELS.join(", "),
        some.join(", ")
    )
}

/// How many classes the file's head has, whatever its name.
pub(super) fn outputs(
    model: &str,
    file: &WeightFile,
    source: &Path,
    preprocessing: &Preprocessing,
) -> Result<usize, RunError> {
    let input = input(preprocessing);
    check_room(model, file, source, input, 2)?;
    if let Some(outputs) = head_outputs(model, input, file) {
        return Ok(outputs);
    }
    // Without a head nothing fits; the error shows what the file has instead.
    let mut network = build(model, input, 2)?;
    network.load(file, false).map_err(|error| RunError::weights(source, &error))?;
    Ok(network.outputs())
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
            source.shown()
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
    observer: &mut dyn Observer,
) -> Result<Network, RunError> {
    check_room(model, file, source, input(preprocessing), classes)?;
    let mut network = build(model, input(preprocessing), classes)?;
    take_over(&mut network, file, source, None, observer)?;
    Ok(network)
}

/// Put a file's weights into a network and tell what was done to make them fit. With a seed for it, a head for other
/// classes is replaced by a new one.
pub(crate) fn take_over(
    network: &mut Network,
    file: &WeightFile,
    source: &Path,
    new_head: Option<u64>,
    observer: &mut dyn Observer,
) -> Result<(), RunError> {
    let loaded = network.load(file, new_head.is_some()).map_err(|error| RunError::weights(source, &error))?;
    let ours = network.head().trim_end_matches('.').to_owned();
    match loaded.head {
        HeadTaken::Own => {}
        HeadTaken::Renamed(theirs) => observer.notice(&Notice::HeadRenamed { theirs, ours }),
        HeadTaken::Fresh { name, classes } => {
            new_head.into_iter().for_each(|seed| network.initialise_head(seed));
            let theirs = name.filter(|name| *name != ours);
            observer.notice(&Notice::HeadReplaced { theirs, had: classes, classes: network.outputs() });
        }
    }
    if !loaded.copies.is_empty() {
        observer.notice(&Notice::WeightsTwice { taken: loaded.prefix, left: loaded.copies });
    }
    if !loaded.extra.is_empty() {
        let some = loaded.extra.iter().take(SHOWN).cloned().collect();
        observer.notice(&Notice::WeightsUnused { count: loaded.extra.len(), some });
    }
    Ok(())
}

/// The model file of a finished run, or the best checkpoint of one that was interrupted or whose file is damaged.
pub(super) fn best_weights(
    run: &RunDir,
    info: &RunInfo,
    observer: &mut dyn Observer,
) -> Result<(WeightFile, PathBuf), RunError> {
    let (dir, name) = (run.dir()?, info.model_file());
    let written = run.files()?.and_then(|files| files.into_iter().find(|file| file.name == name));
    let damage = written.as_ref().and_then(|file| file.check(&dir).err());
    let path = run.path().join(&name);
    let unread = |cause| RecordError::Io { action: "open", path: path.clone(), cause };
    if damage.is_none() && dir.is_file(&name).map_err(unread)? {
        return Ok((read_weights(&path)?, path));
    }
    let (file, path) = best_checkpoint(run, damage.as_ref())?;
    if let (Some(problem), Some(written)) = (damage, written) {
        let (problem, repaired) = (problem.to_string(), put_back(run, &file, &written).is_some());
        observer.notice(&Notice::WeightsDamaged { problem, run: run.path().to_owned(), repaired });
    }
    Ok((file, path))
}

/// Make a run's file of the best weights again, if that gives the very bytes that were recorded and nobody is writing to
/// the run.
fn put_back(run: &RunDir, weights: &WeightFile, written: &FileEntry) -> Option<()> {
    let bytes = to_safetensors_bytes(weights).ok()?;
    if sha256(&bytes) != written.sha256 {
        return None;
    }
    RunWriter::resume(run.path()).ok()?.write_file(&written.name, &bytes).ok()
}

/// The weights of a run's newest good checkpoint of the best epoch; `damage` is what is wrong with its model file.
fn best_checkpoint(run: &RunDir, damage: Option<&RecordError>) -> Result<(WeightFile, PathBuf), RunError> {
    let newest = run.newest_good(Some(BEST))?;
    let Some(found) = newest.found else {
        let name = run.path().shown();
        let problems: Vec<String> =
            damage.into_iter().chain(&newest.skipped).map(ToString::to_string).collect();
        return Err(RunError::Output(if !problems.is_empty() {
            let problems = problems.join("; ");
            format!(
                "{problems}; {name} has no whole checkpoint of its best epoch either: `wellfit resume {name}` goes on from \
                 what is whole, or begins again, to the same weights"
            )
        } else if run.outcome().is_ok_and(|outcome| outcome.epochs > 0) {
            format!(
                "{name} has no checkpoint of its best epoch: `wellfit resume {name}` makes its weights again"
            )
        } else {
            format!("{name} has no weights yet: no epoch was finished")
        }));
    };
    let file = checkpoint_weights(&found)?;
    Ok((file, found.checkpoint.path))
}
