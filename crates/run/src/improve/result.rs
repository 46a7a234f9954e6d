//! What an improvement came to, and the file that holds it.

use super::advised::Advised;
use super::look::FinalLook;
use super::round::Round;
use super::session::{Looked, Repair};
use super::step::Stop;
use crate::error::RunError;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit_base::atomic;
use wellfit_proof::Settings;
use wellfit_report::{REPORT, improvement_page, trial_page};

/// A finished improvement.
#[derive(Debug, Clone)]
pub struct Improved {
    /// Its directory.
    pub dir: PathBuf,
    /// The metric.
    pub metric: String,
    /// The first run of the settings given.
    pub first: PathBuf,
    /// Rates that were lowered without a test.
    pub repairs: Vec<Repair>,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// What is found and advised in the end.
    pub left: Advised,
    /// Why no further round was made.
    pub stop: Stop,
    /// The budget, what was spent of it when the rounds ended, in words.
    pub spent: (String, String),
    /// The final settings, those that were given and those that were adopted.
    pub settings: Settings,
    /// The final run.
    pub last: PathBuf,
    /// What the test part says, if the data have one.
    pub test: Option<FinalLook>,
    /// How often the test part was looked at.
    pub looks: usize,
}

impl Improved {
    /// Name and value of what was adopted, in its order.
    pub fn adopted(&self) -> impl Iterator<Item = &str> {
        self.rounds.iter().filter_map(|round| Some(round.treatments[round.adopted?].technique.as_str()))
    }

    /// Write the pages of the proofs, and the one that leads to them.
    pub(super) fn pages(&self) -> Result<(), RunError> {
        let write = |dir: &Path, page: String| {
            let written = atomic::replace(&dir.join(REPORT), page.as_bytes());
            written.map_err(|error| RunError::Output(error.to_string()))
        };
        for round in self.rounds.iter().filter(|round| round.proof.is_some()) {
            write(&round.trial, trial_page(&round.trial)?)?;
        }
        write(&self.dir, improvement_page(&self.dir)?)
    }

    /// As `improve.json` holds it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self
            .left
            .findings
            .iter()
            .map(|finding| json!({ "name": finding.name, "sentence": finding.sentence }))
            .collect();
        let not_tested: Vec<Value> = self
            .left
            .not_tested
            .iter()
            .map(|one| json!({ "setting": one.setting, "to": one.to, "finding": one.finding, "reason": one.reason }))
            .collect();
        let repairs: Vec<Value> =
            self.repairs.iter().map(|one| json!({ "run": path(&one.run), "lr": one.lr })).collect();
        json!({
            "improvement": path(&self.dir),
            "metric": self.metric,
            "budget": self.spent.0,
            "spent": self.spent.1,
            "stop": self.stop.name(),
            "first": path(&self.first),
            "repairs": repairs,
            "rounds": self.rounds.iter().map(round).collect::<Vec<_>>(),
            "adopted": self.adopted().collect::<Vec<_>>(),
            "findings_left": findings,
            "not_tested": not_tested,
            "settings": self.settings,
            "final": path(&self.last),
            "test_looks": self.looks,
            "test": self.test,
        })
    }
}

fn round(round: &Round) -> Value {
    let judged = |place: usize| round.proof.as_ref().map(|proof| &proof.outcome.techniques[place]);
    let technique = |(place, one): (usize, &super::advised::Treatment)| {
        let judged = judged(place);
        json!({
            "name": one.technique,
            "findings": one.findings,
            "verdict": judged.map(|judged| judged.verdict),
            "pairs": judged.map(|judged| judged.pairs),
            "mean_difference": judged.map(|judged| judged.mean_difference),
            "interval": judged.and_then(|judged| judged.interval),
            "e": judged.map(|judged| judged.e),
        })
    };
    let look = |one: &Looked| {
        json!({
            "name": one.treatment.technique,
            "findings": one.treatment.findings,
            "run": path(&one.run),
            "difference": one.difference,
        })
    };
    json!({
        "looks": round.looks.iter().map(look).collect::<Vec<_>>(),
        "trial": round.proof.as_ref().map(|_| path(&round.trial)),
        "alpha": round.proof.as_ref().map(|proof| proof.design.alpha),
        "techniques": round.treatments.iter().enumerate().map(technique).collect::<Vec<_>>(),
        "void": round.void,
        "adopted": round.adopted.map(|place| &round.treatments[place].technique),
    })
}

/// As the trial's result has its own.
fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
