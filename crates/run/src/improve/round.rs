//! A round: what is advised races against the settings as they are.

use super::account::Account;
use super::advised::Treatment;
use super::session::Looked;
use crate::error::RunError;
use crate::resume::diverged;
use crate::trial::{Ask, Proof, arms};
use std::path::{Path, PathBuf};
use wellfit_policy::Mode;
use wellfit_proof::{Design, Judged, Pairs, Settings, Technique, Verdict};
use wellfit_record::{RunDir, TrialDir};

/// The most techniques of a round: the others wait for the next one.
const MOST_TECHNIQUES: usize = 3;
/// As many pairs are wanted before a further technique joins: with effects of 1.5 standard deviations a trial until sure takes
/// eight.
pub(super) const WANTED: usize = 8;
/// The most pairs: what takes more of them is worth little.
const MOST_PAIRS: usize = 12;

/// What a round is to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoundPlan {
    pub techniques: Vec<String>,
    pub pairs: usize,
    pub alpha: f64,
    pub first_seed: u64,
}

/// A finished round.
#[derive(Debug, Clone)]
pub struct Round {
    /// What one run of each candidate showed.
    pub looks: Vec<Looked>,
    /// Its trial.
    pub trial: PathBuf,
    /// What was tested, and why; nothing where no candidate was ahead.
    pub treatments: Vec<Treatment>,
    /// The verdicts; none where nothing was tested, or a run had no network.
    pub proof: Option<Proof>,
    /// The arm whose run's loss became NaN.
    pub void: Option<String>,
    /// The place of the technique that is adopted.
    pub adopted: Option<usize>,
}

impl RoundPlan {
    /// What the budget allows: as many of the `open` treatments as leave enough pairs for each, at least one. None if it allows
    /// no round. A run takes `epochs` epochs, `treated` says how many with a treatment.
    pub fn affordable(
        open: &[Treatment],
        account: &Account,
        epochs: f64,
        treated: impl Fn(&Treatment) -> f64,
        (alpha, first_seed): (f64, u64),
    ) -> Option<Self> {
        // What is left must also pay for the final run.
        let left = account.left() - account.price(epochs);
        (1..=open.len().min(MOST_TECHNIQUES)).rev().find_map(|count| {
            let chosen = &open[..count];
            let pair =
                account.price(epochs) + chosen.iter().map(|one| account.price(treated(one))).sum::<f64>();
            let pairs = (left / pair).floor().clamp(0.0, MOST_PAIRS as f64) as usize;
            let fewest = fewest_pairs(alpha, count).max(if count > 1 { WANTED } else { 0 });
            let techniques = chosen.iter().map(|one| one.technique.clone()).collect();
            (pairs >= fewest).then_some(Self { techniques, pairs, alpha, first_seed })
        })
    }

    /// That of a trial that was begun.
    pub fn of(design: &Design) -> Self {
        Self {
            techniques: design.techniques.iter().map(|technique| technique.name.clone()).collect(),
            pairs: design.last_pair(),
            alpha: design.alpha,
            first_seed: design.first_seed,
        }
    }

    /// As a trial over these settings.
    pub fn ask(&self, settings: crate::options::Options, metric: &str, delta: f64) -> Ask {
        Ask {
            baseline: crate::options::Options {
                seed: Some(self.first_seed),
                no_report: Some(true),
                ..settings
            },
            run: None,
            techniques: self.techniques.clone(),
            other: None,
            pairs: Some(Pairs::UntilSure { at_most: self.pairs }),
            metric: metric.to_owned(),
            delta,
            alpha: self.alpha,
            treat_at: None,
            race: true,
            factorial: false,
            test: false,
            only_runs: false,
        }
    }
}

/// The fewest pairs with which a trial until sure of so many techniques can find anything.
pub(super) fn fewest_pairs(alpha: f64, count: usize) -> usize {
    let technique = |place: usize| Technique { name: place.to_string(), settings: Settings::new() };
    let mut design = Design::new("val_accuracy", Mode::Max, (0..count).map(technique).collect());
    (design.alpha, design.pairs) = (alpha, Pairs::UntilSure { at_most: MOST_PAIRS });
    design.fewest_pairs()
}

/// The place of the technique that is adopted: of those that help the one that does so most.
pub(super) fn winner(proof: &Proof) -> Option<usize> {
    let gain = |one: &Judged| match proof.design.mode {
        Mode::Max => one.mean_difference,
        Mode::Min => -one.mean_difference,
    };
    let judged = proof.outcome.techniques.iter().enumerate();
    let helps = judged.filter(|(_, one)| one.verdict == Verdict::Helps);
    helps.max_by(|a, b| gain(a.1).total_cmp(&gain(b.1))).map(|(place, _)| place)
}

/// The finished runs of a technique.
pub(super) fn treated_runs(proof: &Proof, place: usize) -> Vec<PathBuf> {
    let (design, arms) = (&proof.design, arms(&proof.design));
    let Some(trial) = TrialDir::find(&proof.dir) else { return Vec::new() };
    let pairs = proof.outcome.techniques[place].pairs as u64;
    (0..pairs).map(|pair| trial.run(design.first_seed + pair, &arms[place + 1].directory)).collect()
}

/// The runs of a trial whose loss became NaN, each with the name of its arm.
pub(super) fn without_network(trial: &Path, design: &Design) -> Result<Vec<(String, PathBuf)>, RunError> {
    let Some(dir) = TrialDir::find(trial) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for run in dir.runs() {
        if diverged(&RunDir::open(&run)?)?.is_some() {
            let arms = arms(design);
            let arm =
                arms.iter().find(|arm| run.file_name().is_some_and(|name| name == arm.directory.as_str()));
            found.extend(arm.map(|arm| (arm.name.clone(), run.clone())));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::account::Trained;
    use super::super::budget::Budget;
    use super::*;
    use wellfit_diagnose::Name;

    fn planned(budget: u32, treatments: usize) -> Option<(usize, usize)> {
        let treatment =
            |place: usize| Treatment { technique: place.to_string(), findings: vec![Name::LrTooHigh] };
        let open: Vec<Treatment> = (0..treatments).map(treatment).collect();
        let now = Trained { epochs: 10.0, seconds: 10.0, runs: 1 };
        let account = Account { budget: Budget::Epochs(budget), all: now, now, clock: 10.0 };
        let plan = RoundPlan::affordable(&open, &account, 10.0, |_| 10.0, (0.025, 1));
        plan.map(|plan| (plan.techniques.len(), plan.pairs))
    }

    #[test]
    fn a_small_budget_tests_less_at_once_and_never_too_few_pairs() {
        // The first run took 10 of the epochs, the final run takes 10; a pair of one technique is 20, of two 30, of three 40.
        for (budget, expected) in [
            (119, None),
            (120, Some((1, 5))),
            (259, Some((1, 11))),
            (260, Some((2, 8))),
            (339, Some((2, 10))),
            (340, Some((3, 8))),
            (10_000, Some((3, 12))),
        ] {
            assert_eq!(planned(budget, 4), expected, "{budget}");
        }
        assert_eq!(planned(10_000, 1), Some((1, 12)));
        assert_eq!(planned(10_000, 0), None);
    }
}
