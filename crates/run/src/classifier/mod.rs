//! A trained network with its classes and preprocessing.

mod class_names;
mod ensemble;
mod evaluation;
mod explain;
mod finite;
mod int8;
mod judgement;
mod mean;
mod mirrored;
mod paired;
mod predictor;
mod weights;

pub use class_names::{class_list, imagenet_classes};
pub use evaluation::Evaluation;
pub use explain::Explanation;
pub use int8::{CALIBRATION_IMAGES, training_images};
pub use judgement::{Answer, Judgement};
pub use paired::Paired;
pub use predictor::Predictor;
pub use weights::weight_file;
pub(crate) use weights::{Opened, model_in, open_weights, take_over};

use crate::error::RunError;
use crate::folds::folds_in;
use crate::observer::Observer;
use crate::options::PrecisionName;
use crate::options::checks::image_size;
use crate::pretrained;
use crate::weights_name::weights_name;
use class_names::IMAGENET_CLASSES;
use ensemble::Member;
use mean::Averaged;
use std::path::Path;
use std::sync::Arc;
use weights::{Model, best_weights, check, hints, load, model_of, outputs, read_weights};
use wellfit_base::Shown;
use wellfit_data::Preprocessing;
use wellfit_fetch::Name;
use wellfit_kernels::loss::softmax;
use wellfit_models::int8::Quantised;
use wellfit_models::{Cpu, Engine, Network, Precision};
use wellfit_record::{RunDir, RunInfo};
use wellfit_train::{Description, is_int8};

/// The description that timm and Hugging Face expect beside weights.
pub const CONFIG: &str = "config.json";

/// What to take where a weight file does not say.
#[derive(Debug, Clone, Default)]
pub struct FileHints {
    /// The architecture of a weight file. Without it, the one that the file names or looks like.
    pub model: Option<String>,
    /// Height and width, in pixels, for a weight file that does not name its own. Without it, those that the weights
    /// are for, or else 224, as torchvision's networks.
    pub image_size: Option<usize>,
    /// The names of the outputs, for a weight file. Without them, those that the file names, ImageNet's for 1000 outputs,
    /// or else numbers. See [`class_list`].
    pub classes: Option<Vec<String>>,
    /// Whether weights by name are taken from this machine only, and never downloaded.
    pub offline: bool,
}

/// A network, its classes and its preprocessing.
///
/// ```no_run
/// use wellfit_run::Classifier;
/// let classifier = Classifier::open("runs/animals-resnet50-1".as_ref())?;
/// for prediction in classifier.predict_files(&["cat.jpg", "dog.jpg"])? {
///     let (class, probability) = prediction.ranks()[0];
///     println!("{} ({probability:.2})", classifier.classes[class]);
/// }
/// # Ok::<(), wellfit_run::RunError>(())
/// ```
#[derive(Debug)]
pub struct Classifier {
    /// The network. Where it is in 8-bit integers ([`Classifier::int8`]), only its structure: the weights are there.
    pub network: Network,
    /// The names of its outputs.
    pub classes: Vec<String>,
    /// How a picture becomes its input.
    pub preprocessing: Preprocessing,
    /// The device that computes.
    engine: Arc<dyn Engine>,
    /// The engine, where it computes in 8-bit integers.
    quantised: Option<Arc<Quantised>>,
    /// The other networks of an ensemble; `network` is the first.
    others: Arc<Vec<Member>>,
}

/// The prediction for one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The network's outputs, one for each class.
    pub logits: Vec<f32>,
    /// The same as probabilities.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    fn new(logits: &[f32]) -> Self {
        Self { logits: logits.to_vec(), probabilities: softmax(logits) }
    }

    /// The classes with their probabilities, the most likely first.
    #[must_use]
    pub fn ranks(&self) -> Vec<(usize, f32)> {
        let mut ranks: Vec<(usize, f32)> = self.probabilities.iter().copied().enumerate().collect();
        ranks.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranks
    }

    /// The names of the most likely `classes`, at most so many, with their probabilities.
    #[must_use]
    pub fn top<'a>(&self, classes: &'a [String], most: usize) -> Vec<(&'a str, f32)> {
        let named = |(class, probability): (usize, f32)| (classes[class].as_str(), probability);
        self.ranks().into_iter().take(most).map(named).collect()
    }
}

impl Classifier {
    /// What `path` names: pretrained weights by name (`imagenet` with a model, `hf:ORG/NAME`), a run (its best weights), the
    /// runs of all folds (an ensemble: the mean of their probabilities), one of its checkpoints, an exported directory or a weight file that
    /// says which network it is for.
    ///
    /// # Errors
    /// If there is no such thing, or its weights fit no network.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::open_with(path, &FileHints::default(), &mut ())
    }

    /// The same; what a weight file does not say comes from `given`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: &Path, given: &FileHints, observer: &mut dyn Observer) -> Result<Self, RunError> {
        if let Some(size) = given.image_size {
            image_size(size).map_err(|problem| RunError::setting("image_size", problem))?;
        }
        if let Some(name) = weights_name(path)? {
            return Self::of_name(&name, given, observer);
        }
        match weight_file(path) {
            Some(file) => Self::of_file(&file, given, observer),
            None => match folds_in(path) {
                Some(folds) => Self::of_folds(path, folds, given, observer),
                None => Self::of_run(path, given, observer),
            },
        }
    }

    /// One network, computed by the processor.
    pub(crate) fn alone(network: Network, classes: Vec<String>, preprocessing: Preprocessing) -> Self {
        let (engine, others) = (Arc::new(Cpu), Arc::default());
        Self { network, classes, preprocessing, engine, quantised: None, others }
    }

    /// What computes it.
    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The same network, computed by `engine`; one in 8-bit integers computes itself and stays as it is.
    #[must_use]
    pub fn on(self, engine: Arc<dyn Engine>) -> Self {
        if self.quantised.is_some() {
            return self;
        }
        let engine = if self.others.is_empty() {
            engine
        } else {
            Arc::new(Averaged { engine, views: self.others.clone() })
        };
        Self { engine, ..self }
    }

    /// The same network, which sees each image as it is and with left and right exchanged: its probabilities are the means
    /// of both. It takes twice the time.
    #[must_use]
    pub fn mirrored(self) -> Self {
        let engine = Arc::new(Averaged { engine: self.engine, views: mirrored::Mirrored });
        Self { engine, ..self }
    }

    /// The same network, with values that are stored so.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.network.precision = precision;
        if !self.others.is_empty() {
            return self.with_members_in(precision);
        }
        self
    }

    /// The best weights of the run in `dir`, in the precision it was trained in.
    fn of_run(dir: &Path, given: &FileHints, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let run = RunDir::open(dir)?;
        let info: RunInfo = run.read_run_toml()?;
        if info.classes.is_empty() {
            return Err(RunError::Output(format!(
                "{} is the run of a lab, which keeps no weights: give one that `wellfit train` made",
                dir.shown()
            )));
        }
        if given.model.as_ref().is_some_and(|model| *model != info.model.name) || given.classes.is_some() {
            return Err(RunError::Unusable(format!(
                "{} is the run of a {} and names its classes: leave `model` and `classes` out",
                dir.shown(),
                info.model.name
            )));
        }
        let bad = |problem: String| {
            RunError::Output(format!("{}: transform: {problem}", dir.join("run.toml").shown()))
        };
        let preprocessing: Preprocessing =
            info.transform.clone().try_into().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        check(&preprocessing).map_err(bad)?;
        let (file, source) = best_weights(&run, &info, observer)?;
        let mut network =
            load(&info.model.name, &file, &source, &preprocessing, info.classes.len(), observer)?;
        // Runs of versions without the setting are f32, and so is what cannot be read here.
        let named =
            info.config.get("precision").and_then(|name| name.as_str()?.parse::<PrecisionName>().ok());
        network.precision = named.unwrap_or(PrecisionName::F32).resolve();
        Ok(Self::alone(network, info.classes, preprocessing))
    }

    /// Pretrained weights by name.
    fn of_name(name: &Name, given: &FileHints, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let store = pretrained::store(given.offline);
        let fetched = pretrained::fetch(name, given.model.as_deref(), &store, observer)?;
        let model = given.model.clone().or(fetched.model);
        let found = Self::of_file(&fetched.path, &FileHints { model, ..given.clone() }, observer)?;
        // torchvision's files say nothing of the preprocessing they were made with.
        match fetched.preprocessing {
            Some(preprocessing) if matches!(name, Name::ImageNet(_)) && given.image_size.is_none() => {
                Ok(Self { preprocessing, ..found })
            }
            _ => Ok(found),
        }
    }

    /// A weight file. What neither it nor a `config.json` beside it says was `given`.
    fn of_file(path: &Path, given: &FileHints, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let file = read_weights(path)?;
        let hints = hints(path, &file, given.model.as_deref(), observer)?;
        let Model { name: model, input } = model_of(path, &file, given.model.as_deref(), &hints, observer)?;
        let size = given.image_size.map(|size| (size, size));
        let size = size.or(input.map(|input| (input.height, input.width))).unwrap_or((224, 224));
        let preprocessing = hints.preprocessing.unwrap_or_else(|| Preprocessing::imagenet(size));
        let named = given.classes.clone().or(hints.classes);
        if is_int8(&file.metadata) {
            return Self::of_int8_file(path, &file, &model, named, preprocessing);
        }
        check(&preprocessing)
            .map_err(|problem| RunError::Model(format!("{}: transform: {problem}", path.shown())))?;
        let outputs = outputs(&model, &file, path, &preprocessing)?;
        let classes = class_names(named, outputs, given.classes.is_some(), path)?;
        let network = load(&model, &file, path, &preprocessing, outputs, observer)?;
        Ok(Self::alone(network, classes, preprocessing))
    }

    /// What another program must know to use the network.
    #[must_use]
    pub fn description(&self) -> Description {
        Description {
            model: self.network.name.clone(),
            classes: self.classes.clone(),
            preprocessing: self.preprocessing.clone(),
        }
    }
}

/// The names of a network's outputs: `named`, if they are as many; ImageNet's for its 1000; or else numbers.
fn class_names(
    named: Option<Vec<String>>,
    outputs: usize,
    must_fit: bool,
    path: &Path,
) -> Result<Vec<String>, RunError> {
    match named {
        Some(names) if names.len() == outputs => Ok(names),
        Some(names) if must_fit => Err(RunError::Unusable(format!(
            "`classes` names {} classes, but the network in {} has {outputs} outputs",
            names.len(),
            path.shown()
        ))),
        _ if outputs == IMAGENET_CLASSES => Ok(imagenet_classes()),
        _ => Ok((0..outputs).map(|class| class.to_string()).collect()),
    }
}
