//! The logs of other tools: one file a tool, which says by which columns its log is known and what is peculiar to it.

mod fastai;
mod huggingface;
mod keras;
mod lightning;
mod timm;
mod ultralytics;
mod wandb;

use super::meaning::Phase;
use std::fmt;

/// Whose log it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// The record of a run of ours.
    Wellfit,
    /// Lightning's `metrics.csv`.
    Lightning,
    /// Keras' `CSVLogger`.
    Keras,
    /// fastai's `history.csv`.
    Fastai,
    /// Ultralytics' `results.csv`.
    Ultralytics,
    /// timm's `summary.csv`.
    Timm,
    /// Hugging Face's `trainer_state.json`.
    HuggingFace,
    /// TensorBoard's event files.
    TensorBoard,
    /// A CSV export of Weights & Biases.
    Wandb,
    /// Any other table.
    #[default]
    Table,
}

impl Format {
    /// Its name, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wellfit => "wellfit",
            Self::Lightning => "lightning",
            Self::Keras => "keras",
            Self::Fastai => "fastai",
            Self::Ultralytics => "ultralytics",
            Self::Timm => "timm",
            Self::HuggingFace => "huggingface",
            Self::TensorBoard => "tensorboard",
            Self::Wandb => "wandb",
            Self::Table => "table",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Wellfit => "a run of Wellfit",
            Self::Lightning => "Lightning's metrics.csv",
            Self::Keras => "Keras' CSVLogger",
            Self::Fastai => "fastai's history.csv",
            Self::Ultralytics => "Ultralytics' results.csv",
            Self::Timm => "timm's summary.csv",
            Self::HuggingFace => "Hugging Face's trainer_state.json",
            Self::TensorBoard => "TensorBoard's event files",
            Self::Wandb => "a CSV export of Weights & Biases",
            Self::Table => "a table",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is peculiar to the log of a tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peculiarities {
    pub format: Format,
    /// Whether a table with columns of these names is such a log.
    pub recognises: fn(&[String]) -> bool,
    /// What an accuracy is measured on whose name does not say it; [`Phase::Unsaid`]: as in [`super::tabular`].
    pub bare_accuracy: Phase,
    /// Columns that look like a series and are none.
    pub skips: fn(&str) -> bool,
    /// Whether accuracies are in percent whatever their values.
    pub percent: bool,
}

impl Peculiarities {
    /// Nothing peculiar.
    pub(super) const NONE: Self = Self {
        format: Format::Table,
        recognises: |_| true,
        bare_accuracy: Phase::Unsaid,
        skips: |_| false,
        percent: false,
    };
}

/// All tools whose logs are tables; the first that recognises the columns counts.
const TOOLS: [Peculiarities; 7] = [
    wandb::WANDB,
    huggingface::HUGGING_FACE,
    ultralytics::ULTRALYTICS,
    timm::TIMM,
    fastai::FASTAI,
    lightning::LIGHTNING,
    keras::KERAS,
];

/// Whose log has columns of these names.
pub(super) fn recognise(names: &[String]) -> Peculiarities {
    TOOLS.into_iter().find(|tool| (tool.recognises)(names)).unwrap_or(Peculiarities::NONE)
}

/// Whether a name is among them.
fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other == name)
}
