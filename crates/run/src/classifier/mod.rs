//! A trained network with its classes and preprocessing.

mod evaluation;
mod int8;
mod paired;
mod predictor;
mod weights;

pub use evaluation::Evaluation;
pub use int8::{CALIBRATION_IMAGES, training_images};
pub use paired::Paired;
pub use predictor::Predictor;
pub(crate) use weights::read_weights;
pub use weights::weight_file;

use crate::error::RunError;
use crate::observer::Observer;
use crate::options::PrecisionName;
use crate::options::checks::image_size;
use std::path::Path;
use std::sync::Arc;
use weights::{best_weights, check, hints, load, outputs};
use wellfit_data::Preprocessing;
use wellfit_kernels::loss::softmax;
use wellfit_models::int8::Quantised;
use wellfit_models::{Cpu, Engine, Network, Precision};
use wellfit_record::{RunDir, RunInfo};
use wellfit_train::{Description, is_int8};

/// The description that timm and Hugging Face expect beside weights.
pub const CONFIG: &str = "config.json";

/// What to take where a weight file does not say.
#[derive(Debug, Clone)]
pub struct FileHints {
    /// The architecture of a weight file that does not name its own.
    pub model: Option<String>,
    /// Height and width, in pixels, for a weight file that does not name its own.
    pub image_size: usize,
}

impl Default for FileHints {
    /// No architecture; 224 pixels, as torchvision's networks.
    fn default() -> Self {
        Self { model: None, image_size: 224 }
    }
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
}

impl Classifier {
    /// What `path` names: a run (its best weights), one of its checkpoints, an exported directory or a weight file that
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
        image_size(given.image_size).map_err(|problem| RunError::setting("image_size", problem))?;
        match weight_file(path) {
            Some(file) => Self::of_file(&file, given, observer),
            None => Self::of_run(path),
        }
    }

    /// The same network, computed by `engine`; one in 8-bit integers computes itself and stays as it is.
    #[must_use]
    pub fn on(self, engine: Arc<dyn Engine>) -> Self {
        if self.quantised.is_some() { self } else { Self { engine, ..self } }
    }

    /// The same network, with values that are stored so.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.network.precision = precision;
        self
    }

    /// The best weights of the run in `dir`, in the precision it was trained in.
    fn of_run(dir: &Path) -> Result<Self, RunError> {
        let run = RunDir::open(dir)?;
        let info: RunInfo = run.read_run_toml()?;
        if info.classes.is_empty() {
            return Err(RunError::Output(format!(
                "{} is the run of a lab, which keeps no weights: give one that `wellfit train` made",
                dir.display()
            )));
        }
        let bad = |problem: String| {
            RunError::Output(format!("{}: transform: {problem}", dir.join("run.toml").display()))
        };
        let preprocessing: Preprocessing =
            info.transform.clone().try_into().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        check(&preprocessing).map_err(bad)?;
        let (file, source) = best_weights(&run, &info)?;
        let mut network = load(&info.model.name, &file, &source, &preprocessing, info.classes.len())?;
        // Runs of versions without the setting are f32, and so is what cannot be read here.
        let named =
            info.config.get("precision").and_then(|name| name.as_str()?.parse::<PrecisionName>().ok());
        network.precision = named.unwrap_or(PrecisionName::F32).resolve();
        Ok(Self { network, classes: info.classes, preprocessing, engine: Arc::new(Cpu), quantised: None })
    }

    /// A weight file. What neither it nor a `config.json` beside it says was `given`.
    fn of_file(path: &Path, given: &FileHints, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let file = read_weights(path)?;
        let hints = hints(path, &file, given.model.as_deref(), observer)?;
        let Some(model) = given.model.as_ref().or(hints.model.as_ref()) else {
            return Err(RunError::Unusable(format!(
                "{} does not say which architecture it is for: give `model`, such as `model` resnet50",
                path.display()
            )));
        };
        let size = given.image_size;
        let preprocessing = hints.preprocessing.unwrap_or_else(|| Preprocessing::imagenet((size, size)));
        if is_int8(&file.metadata) {
            return Self::of_int8_file(path, &file, model, hints.classes, preprocessing);
        }
        check(&preprocessing)
            .map_err(|problem| RunError::Model(format!("{}: transform: {problem}", path.display())))?;
        let outputs = outputs(model, &file, path, &preprocessing)?;
        let classes = hints.classes.filter(|classes| classes.len() == outputs);
        let classes = classes.unwrap_or_else(|| (0..outputs).map(|class| class.to_string()).collect());
        let network = load(model, &file, path, &preprocessing, outputs)?;
        Ok(Self { network, classes, preprocessing, engine: Arc::new(Cpu), quantised: None })
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
