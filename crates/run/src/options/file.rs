//! Settings in a file: TOML with their names as keys, or the `run.toml` of a run.

use super::synonyms::given;
use super::{Options, entries};
use crate::error::RunError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use toml::{Spanned, Value};
use wellfit_base::shown::shown;

/// The most bytes of a configuration file.
const MOST_CONFIG: u64 = 1 << 20;
/// The file of a run, whose table `config` holds its settings.
const RUN: &str = "run.toml";

type Table = BTreeMap<String, Spanned<Value>>;

/// Of a run's file, what is a configuration.
#[derive(Deserialize)]
struct RunFile {
    config: Table,
}

impl Options {
    /// The settings in a configuration file: TOML with the keys of [`RunSpec`](super::RunSpec), or as they are called
    /// elsewhere ([`synonyms`](super::synonyms)), of at most 1 MiB. Of a run's folder or its `run.toml`, its settings.
    ///
    /// # Errors
    /// [`RunError::Config`] with the line, if a key is unknown or a value is not for it.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let within = path.join(RUN);
        let path = if path.is_dir() { &within } else { path };
        let bad = |problem: String| RunError::Config { path: path.to_owned(), problem };
        let text = wellfit_base::file::read_text(path, MOST_CONFIG)
            .map_err(|cause| bad(format!("cannot be read: {cause}")))?;
        Self::from_text(&text).map_err(|problem| {
            let other =
                path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|name| end == *name));
            bad(format!(
                "{problem}{}",
                if other { "\nA configuration is TOML: lines such as batch_size = 64" } else { "" }
            ))
        })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        if table.get("config").is_some_and(|value| value.get_ref().is_table()) {
            table = toml::from_str::<RunFile>(text).map_err(|error| error.to_string())?.config;
        }
        let mut keys: Vec<(String, Spanned<Value>)> = table.into_iter().collect();
        keys.sort_by_key(|(_, value)| value.span().start);
        let mut options = Self::default();
        for (key, value) in keys {
            options.take(&key, value.get_ref()).map_err(|problem| {
                // A value can hold ends of lines, written `\n`.
                let problem = shown(&problem);
                let line = text[..value.span().start.min(text.len())].matches('\n').count();
                let content = text.lines().nth(line).unwrap_or_default().trim();
                format!("line {}, {content}: {problem}", line + 1)
            })?;
        }
        Ok(options)
    }

    /// Take the value of a key.
    fn take(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => value.to_string(),
            _ if given(key, None).is_some() => return Err("give a single value".to_owned()),
            _ => return Err(unknown(key)),
        };
        for (name, text) in given(key, Some(&text)).ok_or_else(|| unknown(key))?? {
            let entry = entries().iter().find(|entry| entry.name == name);
            let entry =
                entry.ok_or_else(|| format!("`{name}` is an option of the command line, not a setting"))?;
            (entry.set)(self, OsStr::new(&text))?;
        }
        Ok(())
    }
}

fn unknown(key: &str) -> String {
    let names: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
    format!("there is no setting `{key}`; known are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{DataKind, RunSpec};

    #[test]
    fn a_run_file_and_its_table_are_the_same_settings() {
        let spec = RunSpec { lr: 1e-7.into(), clip_norm: Some(2.0), ..RunSpec::for_folder() };
        let table = toml::to_string(&spec).unwrap();
        let run = format!(
            "format = 1\nname = \"x\"\n[data]\ntrain = 3\n[config]\n{table}\n[source]\ndata = \"y\"\n"
        );
        for text in [&table, &run] {
            assert_eq!(Options::from_text(text).unwrap().decide(DataKind::Folder).unwrap(), spec);
        }
    }

    #[test]
    fn names_from_elsewhere_are_settings_too() {
        let options =
            Options::from_text("learning_rate = 0.1\nbs = 4\noptim = \"SGD\"\nimgsz = 64\nclip_norm = 1\n")
                .unwrap();
        let expected = "lr = 0.1\nbatch_size = 4\noptimizer = \"sgd\"\nimage_size = 64\nclip_norm = 1.0\n";
        assert_eq!(options, toml::from_str(expected).unwrap());
    }

    #[test]
    fn errors_name_line_and_key_in_words() {
        for (text, parts) in [
            (
                "epochs = 2\n\nbatch_size = \"many\"\n",
                &["line 3, batch_size = \"many\": give a whole number"][..],
            ),
            ("epochs = -2\n", &["line 1", "whole number from 0 to"]),
            ("lr = \"0,1\"\n", &["line 1", "with a point: 0.1"]),
            ("\nlurning_rate = 1\n", &["line 2", "no setting `lurning_rate`", "lr,"]),
            ("mosaic = 0.2\n", &["line 1", "mosaic is no augmentation here"]),
            ("[train]\nepochs = 1\n", &["line 1", "train"]),
            ("epochs = [1]\n", &["line 1", "single value"]),
            ("out = \"x\"\n", &["line 1", "no setting `out`"]),
            ("epochs = \n", &["line 1"]),
        ] {
            let problem = Options::from_text(text).unwrap_err();
            parts.iter().for_each(|part| assert!(problem.contains(part), "{part} is not in {problem}"));
        }
    }
}
