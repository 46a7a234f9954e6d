//! Right and wrong findings, counted.

use crate::baselines::{BASELINES, finds};
use crate::curve::{Case, Line};
use crate::truth::{ById, Verdict, truth};
use std::collections::BTreeMap;
use wellfit_diagnose::findings::explained_by;
use wellfit_diagnose::{Curves, Name, diagnose};
use wellfit_policy::classification::wilson;

/// What a case looks like to the rules.
pub type View = fn(&Case<'_>) -> Curves;

/// Counts of a finding.
#[derive(Debug, Default, Clone, Copy)]
pub struct Score {
    pub right: u64,
    /// Found where it is not.
    pub false_alarms: u64,
    /// Not found where it is.
    pub missed: u64,
    /// Not found where it is not.
    pub quiet: u64,
    /// Cases that are neither clearly one nor the other.
    pub dropped: u64,
}

impl Score {
    fn add(&mut self, found: bool, verdict: Verdict) {
        match (found, verdict) {
            (_, None) => self.dropped += 1,
            (true, Some(true)) => self.right += 1,
            (true, Some(false)) => self.false_alarms += 1,
            (false, Some(true)) => self.missed += 1,
            (false, Some(false)) => self.quiet += 1,
        }
    }

    /// `0.94 (0.81–0.98)`: a share and Wilson's interval of 95 %.
    pub fn share(right: u64, of: u64) -> String {
        if of == 0 {
            return "–".to_owned();
        }
        let interval = wilson(right, of);
        format!("{:.2} ({:.2}–{:.2})", right as f64 / of as f64, interval.low, interval.high)
    }

    pub fn precision(&self) -> String {
        Self::share(self.right, self.right + self.false_alarms)
    }

    pub fn recall(&self) -> String {
        Self::share(self.right, self.right + self.missed)
    }

    pub fn positives(&self) -> u64 {
        self.right + self.missed
    }
}

/// The counts of all findings, of the rules and of others, and of healthy trainings.
#[derive(Debug, Default)]
pub struct Scores {
    pub ours: BTreeMap<Name, Score>,
    pub others: BTreeMap<(&'static str, Name), Score>,
    pub cases: u64,
    pub trainings: u64,
    /// Healthy trainings, and false findings in them.
    pub healthy: (u64, u64),
    /// Each wrong answer, for whoever tunes.
    pub wrong: Vec<String>,
}

/// Findings that another finding, true of the case, explains are not asked for: the output leaves them out.
fn explained(name: Name, found: &[Name], verdicts: &BTreeMap<Name, Verdict>) -> bool {
    explained_by(name).iter().any(|other| found.contains(other) && verdicts.get(other) != Some(&Some(false)))
}

/// Scores the lines of a part as the view shows them.
pub fn score<'a>(lines: impl Iterator<Item = &'a Line>, all: &ById<'_>, view: View) -> Scores {
    let mut scores = Scores::default();
    for line in lines {
        scores.trainings += 1;
        for case in line.cases() {
            add(&mut scores, &case, all, view);
        }
    }
    scores
}

fn add(scores: &mut Scores, case: &Case<'_>, all: &ById<'_>, view: View) {
    scores.cases += 1;
    let verdicts = truth(case, all);
    let curves = view(case);
    let diagnosis = diagnose(&curves);
    let found: Vec<Name> = diagnosis.findings.iter().map(|finding| finding.name).collect();
    let unknown: Vec<Name> = diagnosis.not_looked_at.iter().map(|unknown| unknown.name).collect();
    for (&name, &verdict) in &verdicts {
        let verdict =
            if unknown.contains(&name) || (!found.contains(&name) && explained(name, &found, &verdicts)) {
                None
            } else {
                verdict
            };
        scores.ours.entry(name).or_default().add(found.contains(&name), verdict);
        if verdict.is_some_and(|truth| truth != found.contains(&name)) {
            let what = if found.contains(&name) { "false alarm" } else { "missed" };
            scores.wrong.push(format!("{what} {name}: {} found {found:?}", case.name()));
        }
        for baseline in BASELINES {
            if let Some(found) = finds(baseline, name, &curves) {
                scores.others.entry((baseline, name)).or_default().add(found, verdict);
            }
        }
    }
    // A training that was meant to be healthy, and of which the hidden pictures say nothing else; a small validation part is
    // no fault of the training. As everywhere, what is neither clearly so nor clearly not is not counted.
    let troubled = verdicts.iter().any(|(name, verdict)| {
        *verdict == Some(true) && !matches!(name, Name::ValidationTooSmall | Name::GeneralizationGap)
    });
    if case.line.provocation == "healthy" && !troubled {
        let wrong = |name: &&Name| {
            **name != Name::Healthy && verdicts.get(*name).is_none_or(|verdict| *verdict == Some(false))
        };
        let alarms: Vec<&Name> = found.iter().filter(wrong).collect();
        scores.healthy.0 += 1;
        scores.healthy.1 += alarms.len() as u64;
        if !alarms.is_empty() {
            scores.wrong.push(format!("healthy: {} found {alarms:?}", case.name()));
        }
    }
}
