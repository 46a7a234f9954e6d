//! The verdicts of a trial, and the files that hold them.

use super::known::{Known, in_order};
use super::looks::{self, TestLook};
use super::pair::Trial;
use super::pictures::pictures;
use crate::error::RunError;
use crate::observer::Observer;
use serde_json::{Value, json};
use std::path::PathBuf;
use wellfit_proof::trial::PairId;
use wellfit_proof::{Design, Flips, Outcome, PairResult, judge};

/// The file of the result.
const RESULT: &str = "trial.json";

/// A finished trial.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Its directory.
    pub dir: PathBuf,
    /// Its plan.
    pub design: Design,
    /// The verdicts.
    pub outcome: Outcome,
    /// For each technique the images that each pair fixed and broke, where single images are judged; nothing in a factorial
    /// trial.
    pub flips: Vec<Vec<Flips>>,
    /// The epochs of all its runs, and those among them that were trained for another run already.
    pub epochs: (u64, u64),
    /// What the test part says, if it was looked at.
    pub test: Option<TestLook>,
    /// The same as `trial.json` holds it.
    pub result: Value,
}

/// Judge the finished pairs, look at the test part if that is wanted, and write result and pictures.
pub(super) fn finish(
    trial: &Trial<'_>,
    known: &Known,
    (test, write): (bool, bool),
    observer: &mut dyn Observer,
) -> Result<Proof, RunError> {
    let (design, path) = (trial.design, trial.dir.path());
    let measured = in_order(design, known)?;
    let outcome = judge(&path.to_string_lossy(), design, &measured)?;
    let flips: Vec<Vec<Flips>> = match design.contrasts {
        None => (0..design.techniques.len()).map(|technique| flips(known, technique)).collect(),
        Some(_) => vec![Vec::new(); measured.len()],
    };
    let test = test.then(|| looks::look(trial, known, observer)).transpose()?;
    let epochs = epochs(known);
    let mut result = serde_json::to_value(&outcome).map_err(|error| RunError::Output(error.to_string()))?;
    for (place, (one, flips)) in measured.iter().zip(&flips).enumerate() {
        let pair = |(place, pair): (usize, &PairResult)| {
            let mut entry = json!({ "baseline": pair.baseline, "treated": pair.treated });
            if let Some(flips) = flips.get(place) {
                entry["fixed"] = json!(flips.fixed);
                entry["broken"] = json!(flips.broken);
                entry["mcnemar_p"] = json!(flips.p());
            }
            entry
        };
        let sum = |of: fn(&Flips) -> u64| flips.iter().map(of).sum::<u64>();
        let entry = &mut result["techniques"][place];
        entry["results"] = one.pairs.iter().enumerate().map(pair).collect();
        entry["images"] = match flips[..] {
            [] => Value::Null,
            _ => json!({ "fixed": sum(|flips| flips.fixed), "broken": sum(|flips| flips.broken) }),
        };
    }
    result["metric"] = json!(design.metric);
    result["epochs"] = json!({ "all": epochs.0, "shared": epochs.1 });
    result["test_looks"] = json!(looks::count(trial.dir)?);
    if let Some(look) = &test {
        let outcome = serde_json::to_value(&look.outcome);
        result["test"] = outcome.map_err(|error| RunError::Output(error.to_string()))?;
    }
    let proof = |result| Proof {
        dir: path.to_owned(),
        design: design.clone(),
        outcome: outcome.clone(),
        flips: flips.clone(),
        epochs,
        test: test.clone(),
        result,
    };
    if !write {
        return Ok(proof(result));
    }
    if test.is_none() {
        // What an earlier look at the same pairs showed was seen.
        let before = trial.dir.read_file(RESULT)?.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let seen = before.filter(|before| before["pairs"] == result["pairs"]);
        if let Some(seen) = seen.as_ref().and_then(|before| before.get("test")) {
            result["test"] = seen.clone();
        }
    }
    for (name, bytes) in pictures(trial, known, &measured, &outcome, observer)? {
        trial.dir.write_file(&name, &bytes)?;
    }
    trial.dir.write_file(RESULT, format!("{result:#}\n").as_bytes())?;
    (0..design.last_pair()).for_each(|pair| trial.dir.forget(trial.seed(pair)));
    Ok(proof(result))
}

/// The images that changed sides in each pair of a technique.
fn flips(known: &Known, technique: usize) -> Vec<Flips> {
    let pairs = (0..).map_while(|pair| known.get(&PairId { pair, technique }));
    pairs.filter_map(|found| found.flips).collect()
}

/// The epochs of all runs, and those that treated runs share with their baselines.
fn epochs(known: &Known) -> (u64, u64) {
    let (mut all, mut shared, mut baselines) = (0.0, 0, std::collections::BTreeMap::new());
    for (id, found) in known {
        baselines.insert(id.pair, found.arms[0].cost.epochs);
        all += found.arms[1].cost.epochs;
        shared += u64::from(found.arms[1].shared);
    }
    ((all + baselines.values().sum::<f64>()) as u64, shared)
}
