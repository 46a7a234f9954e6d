//! What is meant by the name of a technique: the settings in which the treated runs differ.

use crate::error::RunError;
use crate::options::{DataKind, OptimizerName, Options, RecipeName, RunSpec, entries};
use std::ffi::OsStr;
use wellfit_models::architecture;
use wellfit_policy::schedule::ScheduleSpec;
use wellfit_proof::{Settings, Technique};

/// What stands between the parts of a technique that is several at once.
pub(crate) const TOGETHER: &str = " + ";

/// Techniques with a name of their own, each with its one setting.
const NAMED: [(&str, &str, &str); 11] = [
    ("early-stopping", "early_stopping", "true"),
    ("lr-scheduler", "lr_scheduler", "true"),
    ("augmentation", "augment", "light"),
    ("hflip", "hflip", "true"),
    ("vflip", "vflip", "true"),
    // Szegedy et al. 2016, arXiv:1512.00567.
    ("label-smoothing", "label_smoothing", "0.1"),
    // Srivastava et al. 2014 (JMLR 15), for hidden units.
    ("dropout", "dropout", "0.5"),
    ("freeze", "freeze", "true"),
    ("weights", "weights", "imagenet"),
    ("class-weights", "class_weights", "balanced"),
    ("schedule", "schedule", "cosine"),
];

/// The settings of the technique called `name`: one of the names above, `weight-decay`, `batch-norm`, a schedule such as
/// `one-cycle`, a recipe, or any setting as `lr=0.01`; or several of these as one, `hflip + lr=0.01`.
///
/// # Errors
/// If there is no such technique, or the baseline cannot have it.
pub(crate) fn technique(name: &str, baseline: &Options, kind: DataKind) -> Result<Technique, RunError> {
    let mut settings = Settings::new();
    for part in name.split(TOGETHER) {
        let (setting, value) = meant(part.trim(), baseline, kind)?;
        // Whether the value is one of that setting.
        Options::default().set(&setting, OsStr::new(&value))?;
        if settings.contains_key(&setting) {
            return Err(RunError::Unusable(format!("technique {name:?} sets `{setting}` twice")));
        }
        settings.insert(setting, value);
    }
    Ok(Technique { name: name.to_owned(), settings })
}

fn meant(name: &str, baseline: &Options, kind: DataKind) -> Result<(String, String), RunError> {
    // The options of a schedule, as in `step:step_size=10`, are no setting of their own.
    if let Some((setting, value)) = name.split_once('=').filter(|(setting, _)| !setting.contains(':')) {
        return Ok((setting.trim().trim_start_matches('-').replace('-', "_"), value.to_owned()));
    }
    if let Some((_, setting, value)) = NAMED.iter().find(|(known, ..)| *known == name) {
        return Ok(((*setting).to_owned(), (*value).to_owned()));
    }
    let spec = baseline.decide(kind)?;
    match name {
        "weight-decay" => Ok(("weight_decay".to_owned(), usual_decay(&spec).to_owned())),
        "batch-norm" => with_batch_norm(&spec.model).map(|model| ("model".to_owned(), model)),
        _ if name.parse::<RecipeName>().is_ok() => Ok(("recipe".to_owned(), name.to_owned())),
        _ if name.parse::<ScheduleSpec>().is_ok() => Ok(("schedule".to_owned(), name.to_owned())),
        _ => Err(unknown(name)),
    }
}

/// torch's default for AdamW; that of He et al. 2016 (arXiv:1512.03385) where decay is part of the gradient.
fn usual_decay(spec: &RunSpec) -> &'static str {
    if spec.optimizer == OptimizerName::Adamw { "0.01" } else { "0.0001" }
}

/// The network's variant with batch normalisation.
fn with_batch_norm(model: &str) -> Result<String, RunError> {
    let variant = format!("{model}-bn");
    if architecture(&variant).is_ok() {
        return Ok(variant);
    }
    Err(RunError::Unusable(format!(
        "batch-norm: {model} has no variant with it and one without; `model` mlp has"
    )))
}

fn unknown(name: &str) -> RunError {
    let mut known: Vec<&str> = NAMED.iter().map(|(name, ..)| *name).collect();
    known.extend(["weight-decay", "batch-norm"]);
    let settings = entries().iter().map(crate::options::Entry::option).collect::<Vec<_>>();
    let setting = settings.iter().find(|setting| *setting == name);
    let hint = setting.map_or_else(String::new, |setting| {
        format!("{setting} is an option: give its value, as {setting}=VALUE. ")
    });
    RunError::Unusable(format!(
        "there is no technique {name:?}. {hint}Techniques are {}, a schedule such as one-cycle, a recipe ({}), or any option of \
         train with its value, such as lr=0.01",
        known.join(", "),
        RecipeName::NAMES.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_setting_that_can_be_decided() {
        for (name, ..) in NAMED {
            let found = technique(name, &Options::default(), DataKind::Folder).unwrap();
            assert_eq!((found.name.as_str(), found.settings.len()), (name, 1));
        }
        let mlp = Options { model: Some("mlp".to_owned()), ..Options::default() };
        for (name, setting, value) in [
            ("batch-norm", "model", "mlp-bn"),
            ("weight-decay", "weight_decay", "0.0001"),
            ("one-cycle", "schedule", "one-cycle"),
            ("scratch", "recipe", "scratch"),
            ("step:step_size=10", "schedule", "step:step_size=10"),
            ("batch-size=4", "batch_size", "4"),
            ("--lr=0.1", "lr", "0.1"),
        ] {
            let found = technique(name, &mlp, DataKind::Folder).unwrap();
            assert_eq!(found.settings[setting], value, "{name}");
        }
        let both = technique("batch-norm + --lr=0.1", &mlp, DataKind::Folder).unwrap();
        let settings =
            [("model", "mlp-bn"), ("lr", "0.1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((both.name.as_str(), both.settings), ("batch-norm + --lr=0.1", Settings::from(settings)));
    }

    #[test]
    fn what_is_no_technique_is_refused_in_words() {
        let resnet = Options { model: Some("resnet20".to_owned()), ..Options::default() };
        for (name, part) in [
            ("batch-norm", "resnet20 has no variant"),
            ("magic", "there is no technique \"magic\""),
            ("mixup", "mixup=VALUE"),
            ("magic=1", "there is no setting `magic`"),
            ("lr=fast", "`lr` fast"),
            ("lr=0.1 + lr=0.2", "sets `lr` twice"),
            ("lr=0.1 + magic", "there is no technique \"magic\""),
        ] {
            let problem = technique(name, &resnet, DataKind::Folder).unwrap_err().to_string();
            assert!(problem.contains(part), "{name}: {problem}");
        }
    }
}
