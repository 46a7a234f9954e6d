//! A setting, or something of the data, that will not work as it is meant to.

use std::fmt;

/// The names of all concerns, which are a contract.
pub const NAMES: [&str; 24] = [
    "early-stopping-precludes-plateau",
    "plateau-too-late",
    "patience-too-long",
    "lr-patience-too-long",
    "min-lr-above-lr",
    "lr-out-of-range",
    "schedule-never-acts",
    "milestones-beyond-end",
    "schedule-unfinished",
    "schedule-rises-again",
    "warmup-too-long",
    "one-step-epochs",
    "freeze-without-weights",
    "small-batches",
    "images-too-small",
    "first-loss-too-high",
    "one-class",
    "class-without-training",
    "class-without-validation",
    "validation-is-test",
    "shared-images",
    "contradicting-labels",
    "repeated-images",
    "weights-saw-validation",
];

/// Something that cannot work. Sentence and advice have settings in backquotes, as `batch_size`; `Display` is both.
///
/// ```
/// use wellfit_run::check::Concern;
/// let concern = Concern::new("one-class", "all images are of one class").advise("add images of another");
/// assert_eq!(concern.to_string(), "all images are of one class; add images of another");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Concern {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// What is wrong, with the values.
    pub sentence: String,
    /// The values by name: settings as they are called here, and what they were compared with.
    pub values: Vec<(&'static str, f64)>,
    /// What mends it.
    pub advice: Option<String>,
}

impl Concern {
    /// A concern of that name.
    #[must_use]
    pub fn new(name: &'static str, sentence: impl Into<String>) -> Self {
        Self { name, sentence: sentence.into(), values: Vec::new(), advice: None }
    }

    /// With these values.
    #[must_use]
    pub fn of(mut self, values: &[(&'static str, f64)]) -> Self {
        self.values.extend_from_slice(values);
        self
    }

    /// With what mends it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        self.advice.as_ref().map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}
