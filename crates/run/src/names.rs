//! The names of the files in a run.

use serde::{Deserialize, Serialize};
use wellfit_record::RunInfo;

/// The best weights of a run that names its files plainly.
const MODEL: &str = "model.safetensors";

/// The names of a run's results: `model.safetensors`, `accuracy.png` and so on, or the same with a suffix that says
/// which techniques were on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNames {
    /// The file of the best weights.
    pub model_file: String,
}

impl FileNames {
    /// The same names whatever the settings.
    #[must_use]
    pub fn plain() -> Self {
        Self { model_file: MODEL.to_owned() }
    }

    /// Names such as `model_lr_scheduler_early_stopping.safetensors`.
    #[must_use]
    pub fn by_technique(lr_scheduler: bool, early_stopping: bool) -> Self {
        let lr_scheduler = if lr_scheduler { "_lr_scheduler" } else { "" };
        let early_stopping = if early_stopping { "_early_stopping" } else { "" };
        Self { model_file: format!("model{lr_scheduler}{early_stopping}.safetensors") }
    }

    /// The names in a run that does not say: such runs were named by technique.
    #[must_use]
    pub fn of_old_run(info: &RunInfo) -> Self {
        Self::by_technique(info.lr_scheduler, info.early_stopping)
    }

    /// A plot's file without its extension, such as `accuracy`.
    #[must_use]
    pub fn plot(&self, name: &str) -> String {
        let suffix = self.model_file.strip_prefix("model").and_then(|name| name.strip_suffix(".safetensors"));
        format!("{name}{}", suffix.unwrap_or_default())
    }
}

/// Whether a run may give its best weights that name.
pub(crate) fn is_model_file(name: &str) -> bool {
    let both = [false, true];
    both.into_iter().any(|lr_scheduler| {
        both.into_iter().any(|early| FileNames::by_technique(lr_scheduler, early).model_file == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_are_named_as_the_model_is() {
        assert_eq!(FileNames::plain().plot("loss"), "loss");
        let both = FileNames::by_technique(true, true);
        assert_eq!(both.model_file, "model_lr_scheduler_early_stopping.safetensors");
        assert_eq!(both.plot("accuracy"), "accuracy_lr_scheduler_early_stopping");
        assert_eq!(FileNames::by_technique(false, false), FileNames::plain());
        assert!(is_model_file("model.safetensors") && is_model_file("model_early_stopping.safetensors"));
        assert!(!is_model_file("model_2.safetensors"));
    }
}
