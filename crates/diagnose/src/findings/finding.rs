//! What a rule gives.

use super::advice::Advice;
use super::name::Name;
use crate::thresholds::Threshold;
use serde::Serialize;
use wellfit_base::number;

/// Something that is wrong with a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which.
    pub name: Name,
    /// The epoch from which on, where one can be told.
    pub onset: Option<u32>,
    /// Of how many held-out curves with this finding it was right, as (right, all); none where that was not measured.
    pub confidence: Option<(u32, u32)>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// It in a sentence or two.
    pub sentence: String,
    /// What to change, the first thing first.
    pub advice: Vec<Advice>,
    /// Why it is not something else that looks alike.
    pub excludes: Vec<String>,
    /// What would have made it more certain, and is not in the log.
    pub missing: Vec<String>,
}

/// A number that a finding rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// What was measured.
    pub series: String,
    /// Its value.
    #[serde(with = "number")]
    pub value: f64,
    /// What it was compared with.
    #[serde(with = "number")]
    pub threshold: f64,
    /// Where the threshold is from.
    pub source: &'static str,
}

/// A finding that could not be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Which.
    pub name: Name,
    /// What is missing.
    pub missing: Vec<String>,
}

/// What a rule needs and does not have.
pub type Missing = Vec<String>;

/// What a rule gives: a finding, nothing, or what it lacks to tell.
pub type Ruled = Result<Option<Finding>, Missing>;

impl Finding {
    /// Of that name, with its sentence.
    #[must_use]
    pub fn new(name: Name, onset: Option<u32>, sentence: String) -> Self {
        Self {
            name,
            onset,
            confidence: None,
            evidence: Vec::new(),
            sentence,
            advice: Vec::new(),
            excludes: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// And what it rests on: `value` of `series`, compared with `threshold`.
    #[must_use]
    pub fn evident(self, series: impl Into<String>, value: f64, threshold: Threshold) -> Self {
        self.evident_by(series, value, threshold.value, threshold.source)
    }

    /// The same with a threshold that was computed.
    #[must_use]
    pub fn evident_by(
        mut self,
        series: impl Into<String>,
        value: f64,
        threshold: f64,
        source: &'static str,
    ) -> Self {
        self.evidence.push(Evidence { series: series.into(), value, threshold, source });
        self
    }

    /// And what to change; what is so already is no advice.
    #[must_use]
    pub fn advise(mut self, advice: impl IntoIterator<Item = Advice>) -> Self {
        self.advice.extend(advice.into_iter().filter(|advice| advice.from.as_deref() != Some(&*advice.to)));
        self
    }

    /// And why it is not something else.
    #[must_use]
    pub fn excluding(mut self, reason: impl Into<String>) -> Self {
        self.excludes.push(reason.into());
        self
    }

    /// And what would have made it more certain.
    #[must_use]
    pub fn without(mut self, missing: impl Into<String>) -> Self {
        self.missing.push(missing.into());
        self
    }
}
