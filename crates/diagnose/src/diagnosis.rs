//! From curves to all findings.

use crate::confidence::confidence;
use crate::findings::{Finding, Look, Name, RULES, Unknown, explained_by};
use crate::log::Curves;
use serde::Serialize;

/// What is wrong with a training, and what could not be looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The file or run.
    pub source: String,
    /// Whose log it is.
    pub format: &'static str,
    /// Epochs that the log has.
    pub epochs: usize,
    /// What was found, the weightiest first; `healthy` where nothing was; nothing at all where no rule had what it needs.
    pub findings: Vec<Finding>,
    /// What could not be looked at, for want of what.
    pub not_looked_at: Vec<Unknown>,
}

/// Applies all rules.
#[must_use]
pub fn diagnose(curves: &Curves) -> Diagnosis {
    let look = Look { curves };
    let (mut found, mut not_looked_at, mut clear): (Vec<Finding>, Vec<Unknown>, Vec<Name>) =
        Default::default();
    for (name, rule) in RULES {
        match rule(&look) {
            Ok(Some(finding)) => found.push(finding),
            Ok(None) => clear.push(*name),
            Err(missing) => not_looked_at.push(Unknown { name: *name, missing }),
        }
    }
    let names: Vec<Name> = found.iter().map(|finding| finding.name).collect();
    found.retain(|finding| !explained_by(finding.name).iter().any(|name| names.contains(name)));
    if found.is_empty() && !clear.is_empty() {
        found.push(healthy(&clear, &not_looked_at));
    }
    for finding in &mut found {
        finding.confidence = confidence(finding.name, curves.format);
    }
    Diagnosis {
        source: curves.source.clone(),
        format: curves.format.name(),
        epochs: curves.epochs.len(),
        findings: found,
        not_looked_at,
    }
}

fn healthy(clear: &[Name], not_looked_at: &[Unknown]) -> Finding {
    let list = |names: &mut dyn Iterator<Item = Name>| names.map(Name::name).collect::<Vec<_>>().join(", ");
    let looked = list(&mut clear.iter().copied());
    let mut sentence = format!("Nothing wrong was found. Looked for: {looked}.");
    if !not_looked_at.is_empty() {
        let others = list(&mut not_looked_at.iter().map(|unknown| unknown.name));
        sentence += &format!(" Could not be looked for: {others}.");
    }
    Finding::new(Name::Healthy, None, sentence)
}
