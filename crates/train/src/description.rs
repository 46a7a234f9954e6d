//! What travels with weights: architecture, class names and preprocessing.

mod timm;

use std::collections::BTreeMap;
use wellfit_data::Preprocessing;
use wellfit_models::Network;
use wellfit_models::int8::Quantised;
use wellfit_weights::WeightFile;

/// The key of the metadata that says in what numbers the network is.
const PRECISION: &str = "precision";
const INT8: &str = "int8";

/// What another program must know to use the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The architecture, a name that [`wellfit_models::build`] knows.
    pub model: String,
    /// The classes in the order of the network's outputs.
    pub classes: Vec<String>,
    /// How an image becomes the network's input.
    pub preprocessing: Preprocessing,
}

impl Description {
    /// As text by key, for a file's metadata: `model` is a word, `classes` and the preprocessing, under its old
    /// name `transform`, are JSON.
    #[must_use]
    pub fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("model".to_owned(), self.model.clone()),
            ("classes".to_owned(), serde_json::to_string(&self.classes).unwrap_or_default()),
            ("transform".to_owned(), serde_json::to_string(&self.preprocessing).unwrap_or_default()),
            ("wellfit_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ])
    }

    /// A network in 8-bit integers with this description as its metadata.
    #[must_use]
    pub fn int8_file(&self, network: &Quantised) -> WeightFile {
        let mut metadata = self.metadata();
        metadata.insert(PRECISION.to_owned(), INT8.to_owned());
        WeightFile { metadata, ..network.state() }
    }

    /// A network's weights with this description as their metadata.
    #[must_use]
    pub fn weight_file(&self, network: &Network) -> WeightFile {
        // Hugging Face's loaders need this to know that the names are PyTorch's.
        let mut metadata = self.metadata();
        metadata.insert("format".to_owned(), "pt".to_owned());
        WeightFile { metadata, ..network.state() }
    }
}

/// Whether a file's metadata say that its network is in 8-bit integers.
#[must_use]
pub fn is_int8(metadata: &BTreeMap<String, String>) -> bool {
    metadata.get(PRECISION).is_some_and(|precision| precision == INT8)
}

/// What a file says about the weights in it or beside it; every part may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hints {
    /// The architecture.
    pub model: Option<String>,
    /// The classes in the order of the outputs.
    pub classes: Option<Vec<String>>,
    /// The preprocessing.
    pub preprocessing: Option<Preprocessing>,
    /// A sentence on preprocessing that the file asks for but that a [`Preprocessing`] cannot do.
    pub unlike: Option<String>,
}

/// A hint that is there but makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {source}")]
pub struct HintError {
    key: &'static str,
    source: serde_json::Error,
}

impl Hints {
    /// The hints in a weight file's metadata, as [`Description::metadata`] writes them.
    ///
    /// # Errors
    /// If the `transform` is no preprocessing.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self, HintError> {
        let preprocessing = metadata.get("transform").map(|text| serde_json::from_str(text)).transpose();
        Ok(Self {
            model: metadata.get("model").cloned(),
            classes: metadata.get("classes").and_then(|text| serde_json::from_str(text).ok()),
            preprocessing: preprocessing.map_err(|source| HintError { key: "transform", source })?,
            unlike: None,
        })
    }

    /// The hints in the text of a `config.json`, as timm and [`Description::timm_config`] write it. Another
    /// tool's `config.json` gives none.
    ///
    /// # Errors
    /// If the text is not JSON, or if it is timm's but a value is of the wrong type.
    pub fn from_timm_config(text: &str) -> Result<Self, HintError> {
        timm::hints(text).map_err(|source| HintError { key: "not as timm writes it", source })
    }

    /// Whether every part is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
