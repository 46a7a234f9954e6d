//! An entry of the table of settings.

use super::setting::{Kind, Setting};
use super::{DataKind, Given, Options, RunSpec};
use crate::error::RunError;
use std::ffi::OsStr;
use std::fmt;

/// A group of options in help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The data and how they are prepared.
    Data,
    /// The network and its initial weights.
    Model,
    /// Epochs, batches, learning rate, optimiser.
    Optimiser,
    /// How the learning rate moves, and when the run ends.
    Stopping,
    /// What is done to training images at random.
    Augmentation,
    /// What else works against overfitting.
    Regularisation,
    /// What is saved, and when.
    Checkpoints,
    /// How fast it is computed, and where.
    Speed,
    /// What is printed and written, and where.
    Output,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

impl Group {
    /// The heading in help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Model => "Model",
            Self::Optimiser => "Optimiser",
            Self::Stopping => "Schedule and stopping",
            Self::Augmentation => "Augmentation",
            Self::Regularisation => "Regularisation",
            Self::Checkpoints => "Checkpoints",
            Self::Speed => "Speed",
            Self::Output => "Output",
        }
    }
}

/// A setting: all that help, a command line and a configuration file need to know of it.
#[derive(Debug)]
pub struct Entry {
    /// Its name in configuration files, such as `batch_size`.
    pub name: &'static str,
    /// The group it belongs to.
    pub group: Group,
    /// The lines of its help; the first paragraph is a short one.
    pub(super) help: &'static [&'static str],
    /// What a value is called in help, such as `N`.
    pub value_name: &'static str,
    /// What values are like.
    pub kind: Kind,
    /// Whether short help lists it.
    pub common: bool,
    /// Whether the results have the same bits whatever its value.
    pub immaterial: bool,
    /// How help describes the default, where the value alone is not enough.
    pub default_text: &'static str,
    /// Names that long help lists behind its first line, where they come from a registry.
    pub names: fn() -> String,
    /// Give it a value as text.
    pub(super) set: fn(&mut Options, &OsStr) -> Result<(), String>,
    /// The default as text.
    pub(super) default: fn(&Given<'_>) -> Option<String>,
    /// Its value in a run as text.
    pub(super) shown: fn(&RunSpec) -> Option<String>,
    /// What is wrong with its value, alone or together with others.
    pub check: fn(&RunSpec) -> Result<(), String>,
}

impl Entry {
    /// An entry with what every entry must have; the optional parts are empty.
    pub(super) const fn new(
        name: &'static str,
        group: Group,
        help: &'static [&'static str],
        kind: Kind,
        set: fn(&mut Options, &OsStr) -> Result<(), String>,
        default: fn(&Given<'_>) -> Option<String>,
        shown: fn(&RunSpec) -> Option<String>,
    ) -> Self {
        Self {
            name,
            group,
            help,
            value_name: "BOOL",
            kind,
            common: false,
            immaterial: false,
            default_text: "",
            names: String::new,
            set,
            default,
            shown,
            check: |_| Ok(()),
        }
    }

    /// The name as an option of a command line, such as `batch-size`.
    #[must_use]
    pub fn option(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Help in one line, with the default.
    #[must_use]
    pub fn help(&self) -> String {
        self.with_default(&self.paragraphs()[0])
    }

    /// The whole help with the names there are and the default, where one line is not all.
    #[must_use]
    pub fn long_help(&self) -> Option<String> {
        let (mut paragraphs, names) = (self.paragraphs(), (self.names)());
        if paragraphs.len() == 1 && names.is_empty() {
            return None;
        }
        if !names.is_empty() {
            paragraphs[0] = format!("{}: {names}", paragraphs[0]);
        }
        Some(self.with_default(&paragraphs.join("\n\n")))
    }

    fn paragraphs(&self) -> Vec<String> {
        let lines: Vec<&str> = self.help.iter().map(|line| line.trim()).collect();
        lines.split(|line| line.is_empty()).map(|paragraph| paragraph.join(" ")).collect()
    }

    fn with_default(&self, text: &str) -> String {
        match self.default_text() {
            Some(default) => format!("{text} [default: {default}]"),
            None => text.to_owned(),
        }
    }

    /// The default, for each kind of data that differs; none for a switch that is off.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        if !self.default_text.is_empty() {
            return Some(self.default_text.to_owned());
        }
        let options = Options::default();
        let of = |data| (self.default)(&Given { data, options: &options });
        let folder = of(DataKind::Folder)?;
        let (idx, sample) = (of(DataKind::Idx { pixels: 28 })?, of(DataKind::Sample { pixels: 28 })?);
        let mut text = folder.clone();
        if idx != folder {
            text = format!("{text}; IDX data {idx}");
        }
        if sample != idx {
            text = format!("{text}; sample {sample}");
        }
        (text != "false").then_some(text)
    }

    /// Whether `text` is of the setting's type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, text: &OsStr) -> Result<(), String> {
        (self.set)(&mut Options::default(), text)
    }

    /// Whether the setting makes sense in `spec`.
    pub(crate) fn validate(&self, spec: &RunSpec) -> Result<(), RunError> {
        (self.check)(spec).map_err(|problem| RunError::setting(self.name, problem))
    }
}

/// A value as help shows it; none if it is absent.
pub(super) fn text_of<T: Setting>(value: &T) -> Option<String> {
    value.show()
}
