//! What the diagnosis found.

use crate::read::RunReport;
use wellfit_base::figures::{self, percent};
use wellfit_diagnose::{Advice, Evidence, Finding, Name};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// All is well.
    Good,
    /// There is something to gain.
    Fair,
    /// The training is spoilt.
    Bad,
    /// Not known.
    #[default]
    Unknown,
}

impl Tone {
    /// That of a finding.
    pub fn of(name: Name) -> Self {
        match name {
            Name::Healthy => Self::Good,
            Name::Diverged
            | Name::NotLearning
            | Name::DoubleSoftmax
            | Name::ExplodingGradients
            | Name::VanishingGradients
            | Name::DeadUnits
            | Name::LrTooHigh
            | Name::Duplicates => Self::Bad,
            _ => Self::Fair,
        }
    }

    /// The class on the page.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }

    /// A sign beside the words, so that colour is not all that tells.
    pub fn sign(&self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Fair => "!",
            Self::Bad => "✕",
            Self::Unknown => "?",
        }
    }
}

/// A finding on the page.
#[derive(Debug, Clone)]
pub struct FindingView {
    /// Its number, which charts show too.
    pub number: usize,
    /// Its name in words.
    pub title: String,
    /// How bad it is.
    pub tone: Tone,
    /// From which epoch on; empty where that is not known.
    pub onset: String,
    /// The sentence.
    pub sentence: String,
    /// What to change: the option, and what it was.
    pub advice: Vec<(String, String)>,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// Why it is not something else.
    pub excludes: Vec<String>,
    /// What would make it more certain.
    pub missing: Vec<String>,
}

/// `LR too high` from `lr-too-high`: the name with a capital, as a heading.
pub fn title(name: Name) -> String {
    let words = name.name().replace('-', " ");
    let words = words.replace("lr ", "learning rate ").replace("batchnorm", "BatchNorm");
    if name == Name::Healthy {
        return "Healthy".to_owned();
    }
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The findings of a run, and what could not be looked for.
pub fn findings(run: &RunReport) -> (Vec<FindingView>, Vec<(String, String)>) {
    let Some(diagnosis) = &run.diagnosis else { return Default::default() };
    let found =
        diagnosis.findings.iter().enumerate().map(|(place, finding)| of(place + 1, finding)).collect();
    let unknown = diagnosis.not_looked_at.iter();
    (found, unknown.map(|unknown| (title(unknown.name), unknown.missing.join("; "))).collect())
}

fn of(number: usize, finding: &Finding) -> FindingView {
    FindingView {
        number,
        title: title(finding.name),
        tone: Tone::of(finding.name),
        onset: finding.onset.map_or_else(String::new, |epoch| format!("from epoch {epoch}")),
        sentence: finding.sentence.clone(),
        advice: finding.advice.iter().map(change).collect(),
        evidence: finding.evidence.iter().map(evidence).collect(),
        excludes: finding.excludes.clone(),
        missing: finding.missing.clone(),
    }
}

fn change(advice: &Advice) -> (String, String) {
    let was = advice.from.as_ref().map_or_else(String::new, |from| format!("it was {from}"));
    (advice.to_string(), was)
}

fn evidence(of: &Evidence) -> String {
    let Evidence { series, value, threshold, source } = of;
    format!("{series} is {}, the threshold is {} ({source})", short(*value), short(*threshold))
}

fn short(value: f64) -> String {
    if value.is_finite() { figures::short(value) } else { percent(value).replace(" %", "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_headings() {
        assert_eq!(title(Name::LrTooHigh), "Learning rate too high");
        assert_eq!(title(Name::BatchNormStatistics), "BatchNorm statistics");
        assert_eq!(title(Name::Overfitting), "Overfitting");
    }
}
