//! What names and values from elsewhere mean.

use super::names::NAMES;
use super::values::{METRICS, MONITORS, VALUES};
use crate::options::{Entry, entries};

/// What a name from elsewhere means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The setting, or an option of a command, of that name.
    Same(&'static str),
    /// That setting with that value.
    Gives(&'static str, &'static str),
    /// The setting of that name, if its value is a file; else the sentence says what to do.
    File(&'static str, &'static str),
    /// The data themselves.
    Data,
    /// What Wellfit does anyway; the sentence is for those who want it otherwise.
    Always(&'static str),
    /// What Wellfit lacks; the sentence says what to do instead.
    Lacking(&'static str),
}

/// A name without what people write differently: case, `-` and `_`.
#[must_use]
pub fn squeezed(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The setting of that name, however it is written.
#[must_use]
pub fn setting(name: &str) -> Option<&'static Entry> {
    let name = squeezed(name);
    entries().iter().find(|entry| squeezed(entry.name) == name)
}

/// What a name that is no setting's means, if it is known from elsewhere.
#[must_use]
pub fn meaning(name: &str) -> Option<Meaning> {
    let name = squeezed(name);
    NAMES.iter().find(|(known, _)| squeezed(known) == name).map(|(_, meaning)| *meaning)
}

/// What a value is called here, if it is called otherwise elsewhere; options behind a colon stay.
#[must_use]
pub fn value_meaning(setting: &str, text: &str) -> Option<String> {
    let (name, rest) =
        text.find(':').filter(|_| setting == "schedule").map_or((text, ""), |at| text.split_at(at));
    let name = squeezed(name);
    let known = VALUES.iter().filter(|(of, ..)| *of == setting).find(|(_, known, _)| squeezed(known) == name);
    let model = || {
        let same = |model: &&&'static str| setting == "model" && squeezed(model) == name;
        wellfit_models::MODELS.iter().find(same).copied()
    };
    let metric = || {
        let same =
            |(known, _): &&(&str, &'static str)| MONITORS.contains(&setting) && squeezed(known) == name;
        METRICS.iter().find(same).map(|(_, here)| *here)
    };
    known.map(|(.., here)| *here).or_else(model).or_else(metric).map(|here| format!("{here}{rest}"))
}

/// The truth of a word that says yes or no in some language of settings.
#[must_use]
pub fn truth(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" | "none" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Kind, Options};
    use std::collections::BTreeSet;
    use std::ffi::OsStr;

    /// Options of commands that are no settings of a run.
    const OTHERS: [&str; 8] = ["out", "force", "resume", "config", "verbose", "quiet", "threads", "top"];

    #[test]
    fn every_name_leads_to_something() {
        let mut seen = BTreeSet::new();
        for (name, meaning) in NAMES {
            assert!(setting(name).is_none(), "{name} is a setting's own name");
            assert!(seen.insert(squeezed(name)), "{name} stands in the table twice");
            match meaning {
                Meaning::Same(to) | Meaning::File(to, _) => {
                    let known = entries().iter().any(|entry| entry.name == *to) || OTHERS.contains(to);
                    assert!(known, "{name}: there is no {to}");
                }
                Meaning::Gives(to, value) => {
                    Options::default().set(to, OsStr::new(value)).unwrap_or_else(|e| panic!("{name}: {e}"));
                }
                Meaning::Data => {}
                Meaning::Always(text) | Meaning::Lacking(text) => assert!(text.len() > 15, "{name}"),
            }
            if let Meaning::File(_, text) | Meaning::Always(text) | Meaning::Lacking(text) = meaning {
                for (place, quoted) in text.split('`').enumerate().filter(|(place, _)| place % 2 == 1) {
                    let word = quoted.split(' ').next().unwrap_or_default();
                    let known = entries().iter().any(|entry| entry.name == word) || OTHERS.contains(&word);
                    assert!(known, "{name}: {place}: there is no `{word}`");
                }
            }
        }
        assert!(NAMES.len() > 150, "{}", NAMES.len());
    }

    #[test]
    fn every_value_is_one_that_the_setting_takes() {
        let mut seen = BTreeSet::new();
        for (name, elsewhere, here) in VALUES {
            assert!(seen.insert((name, squeezed(elsewhere))), "{name} {elsewhere} stands in the table twice");
            assert_ne!(elsewhere, here);
            let taken = Options::default().set(name, OsStr::new(here)).map_err(|error| error.to_string());
            // Some schedules need options, which stand behind the name.
            let known =
                taken.as_ref().err().is_none_or(|problem| *name == "schedule" && problem.contains("missing"));
            assert!(known, "{name} {here}: {taken:?}");
            if let Some(Kind::Choice(words)) = setting(name).map(|entry| entry.kind) {
                assert!(words.contains(here), "{name} {here}");
            }
        }
    }

    #[test]
    fn names_are_compared_without_case_and_joints() {
        assert_eq!(setting("batchSize").map(|entry| entry.name), Some("batch_size"));
        assert_eq!(meaning("Learning-Rate"), Some(Meaning::Same("lr")));
        assert_eq!(meaning("lurning_rate"), None);
        assert_eq!(value_meaning("model", "ResNet-50").as_deref(), Some("resnet50"));
        assert_eq!(
            value_meaning("schedule", "StepLR:step_size=3,gamma=0.1").as_deref(),
            Some("step:step_size=3,gamma=0.1")
        );
        assert_eq!(value_meaning("model", "vgg"), None);
        assert_eq!(value_meaning("best", "Macro-F1").as_deref(), Some("val_macro_f1"));
        assert_eq!(value_meaning("model", "auc"), None);
        assert_eq!([truth("True"), truth("0"), truth("maybe")], [Some(true), Some(false), None]);
    }
}
