//! The content of `run.toml` that all commands share.

use crate::manifest::check_name;
use crate::metric::Metric;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// What a run is: enough to run it again. Written once, before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The run's name, that of its directory.
    pub name: String,
    /// The command that made it, as typed.
    pub command: String,
    /// When it began, RFC 3339 in UTC.
    pub created: String,
    /// The version of Wellfit.
    pub wellfit_version: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether a learning-rate scheduler was on.
    pub lr_scheduler: bool,
    /// Whether early stopping was on.
    pub early_stopping: bool,
    /// The file of the best weights, where the record says; see [`RunInfo::model_file`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "file_name")]
    pub model_file: Option<String>,
    /// The classes in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The data.
    pub data: DataInfo,
    /// The model.
    pub model: ModelInfo,
    /// How an image becomes the network's input.
    pub transform: toml::Value,
    /// The command's resolved configuration.
    pub config: toml::Value,
}

/// The beginning and the end of the name of the best weights' file. What stands between the two also appears in the
/// names of the run's plots.
const MODEL: (&str, &str) = ("model", ".safetensors");

impl RunInfo {
    /// The name of the file of the best weights in the run's directory.
    ///
    /// Runs of before it was recorded have it from their settings: `model_lr_scheduler_early_stopping.safetensors`
    /// where both were on.
    #[must_use]
    pub fn model_file(&self) -> String {
        self.model_file
            .clone()
            .unwrap_or_else(|| Self::model_file_by_settings(self.lr_scheduler, self.early_stopping))
    }

    /// The metric that decides which epoch's weights are kept: `best` of the configuration. Runs of before that setting
    /// kept those with the lowest validation loss.
    #[must_use]
    pub fn best_by(&self) -> Metric {
        let name = self.config.get("best").and_then(toml::Value::as_str);
        name.and_then(Metric::named).unwrap_or(Metric::VAL_LOSS)
    }

    /// The name of the file of the best weights that says whether a learning-rate scheduler and early stopping were on.
    #[must_use]
    pub fn model_file_by_settings(lr_scheduler: bool, early_stopping: bool) -> String {
        let scheduler = if lr_scheduler { "_lr_scheduler" } else { "" };
        let stopping = if early_stopping { "_early_stopping" } else { "" };
        format!("{}{scheduler}{stopping}{}", MODEL.0, MODEL.1)
    }

    /// Whether some run may give its best weights that name.
    #[must_use]
    pub fn is_model_file(name: &str) -> bool {
        let both = [false, true];
        both.into_iter().any(|scheduler| {
            both.map(|stopping| Self::model_file_by_settings(scheduler, stopping)).contains(&name.to_owned())
        })
    }

    /// The name, without its extension, of a file beside the best weights: `loss` for "loss", or
    /// `loss_early_stopping` where these are in `model_early_stopping.safetensors`.
    #[must_use]
    pub fn stem_beside(&self, stem: &str) -> String {
        let model = self.model_file();
        let suffix = model.strip_prefix(MODEL.0).and_then(|name| name.strip_suffix(MODEL.1)).unwrap_or("");
        format!("{stem}{suffix}")
    }
}

/// A record may come from anywhere, but names a file in its own directory.
fn file_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    name.map(|name| check_name(&name).map(|()| name).map_err(D::Error::custom)).transpose()
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Its name or directory.
    pub name: String,
    /// A hash that changes with the data.
    pub fingerprint: String,
    /// Training samples.
    pub train: u64,
    /// Validation samples.
    pub val: u64,
    /// Test samples.
    pub test: u64,
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name, such as `resnet50`.
    pub name: String,
    /// All its parameters.
    pub parameters: u64,
    /// Those that are trained.
    pub trainable: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(lines: &str) -> Result<RunInfo, toml::de::Error> {
        toml::from_str(&format!(
            "name = 'a'\ncommand = ''\ncreated = ''\nwellfit_version = ''\nseed = 0\nclasses = []\ntransform = []\n\
             {lines}\n[data]\nname = ''\nfingerprint = ''\ntrain = 1\nval = 1\ntest = 1\n\
             [model]\nname = ''\nparameters = 1\ntrainable = 1\n[config]\n"
        ))
    }

    #[test]
    fn an_old_run_has_its_model_file_from_its_settings_and_a_new_one_says_it() {
        for (lines, model, plot) in [
            ("lr_scheduler = false\nearly_stopping = false", "model.safetensors", "loss"),
            (
                "lr_scheduler = true\nearly_stopping = false",
                "model_lr_scheduler.safetensors",
                "loss_lr_scheduler",
            ),
            (
                "lr_scheduler = true\nearly_stopping = true",
                "model_lr_scheduler_early_stopping.safetensors",
                "loss_lr_scheduler_early_stopping",
            ),
            (
                "lr_scheduler = true\nearly_stopping = true\nmodel_file = 'model.safetensors'",
                "model.safetensors",
                "loss",
            ),
        ] {
            let info = info(lines).unwrap();
            assert_eq!((info.model_file(), info.stem_beside("loss")), (model.into(), plot.into()));
            assert_eq!(toml::from_str::<RunInfo>(&toml::to_string(&info).unwrap()).unwrap(), info);
        }
    }

    #[test]
    fn the_best_epoch_of_an_old_run_is_that_of_the_lowest_loss() {
        let off = "lr_scheduler = false\nearly_stopping = false";
        let mut info = info(off).unwrap();
        assert_eq!(info.best_by(), Metric::VAL_LOSS);
        info.config = toml::from_str("monitor = 'val_accuracy'").unwrap();
        assert_eq!(info.best_by(), Metric::VAL_LOSS);
        info.config = toml::from_str("best = 'val_accuracy'").unwrap();
        assert_eq!(info.best_by(), Metric::VAL_ACCURACY);
    }

    #[test]
    fn names_of_best_weights_are_known() {
        assert!(RunInfo::is_model_file("model.safetensors"));
        assert!(RunInfo::is_model_file("model_early_stopping.safetensors"));
        assert!(!RunInfo::is_model_file("model_2.safetensors"));
    }

    #[test]
    fn a_model_file_is_in_the_runs_own_directory() {
        for name in ["../model.safetensors", "/etc/passwd", ".hidden", ""] {
            let lines = format!("lr_scheduler = true\nearly_stopping = true\nmodel_file = '{name}'");
            assert!(info(&lines).unwrap_err().to_string().contains("cannot name"), "{name}");
        }
    }
}
