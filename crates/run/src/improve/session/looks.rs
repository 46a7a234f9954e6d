//! One run of each candidate, and of the best ones together: what is worth a proof.
//!
//! The runs have the seed of the first run; those of the proof have others. So choosing the luckiest here cannot make a proof
//! of something useless more likely.

use super::super::advised::Treatment;
use super::super::step::Step;
use super::super::usual::setting;
use super::Session;
use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::Options;
use crate::trial::{Brief, TOGETHER, technique};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use wellfit_policy::Mode;
use wellfit_record::{RunDir, best_epoch, epochs};

/// The folder of these runs.
const LOOKS: &str = "looks";

/// What one run says of a technique.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The technique, and why.
    pub treatment: Treatment,
    /// Its run.
    pub run: PathBuf,
    /// The metric less that of the settings as they are; none where the loss became NaN.
    pub difference: Option<f64>,
}

impl Session<'_> {
    /// Look at the candidates in their order, then at the best ones together: each further one stays if it makes the
    /// combination better still. `may` says whether there is a look more, given its technique and run.
    pub(super) fn look_at(
        &mut self,
        (round, candidates): (usize, &[Treatment]),
        may: &dyn Fn(&Self, &Treatment, &Path) -> Result<bool, RunError>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Looked>, RunError> {
        let mut looked = Vec::new();
        for one in candidates {
            let Some(found) = self.one_look((round, looked.len() + 1), one.clone(), may, observer)? else {
                break;
            };
            looked.push(found);
        }
        let ahead = self.ahead(&looked);
        let Some((mut best, others)) = ahead.split_first().map(|(best, others)| (best.clone(), others))
        else {
            return Ok(looked);
        };
        for other in others {
            let Some(both) =
                together(&best.treatment, &other.treatment).filter(|both| self.can(&both.technique))
            else {
                continue;
            };
            let Some(found) = self.one_look((round, looked.len() + 1), both, may, observer)? else { break };
            if self.compare(&found, &best) == Ordering::Less {
                best = found.clone();
            }
            looked.push(found);
        }
        Ok(looked)
    }

    /// Those that are ahead of the settings as they are, the best first.
    pub(super) fn ahead(&self, looked: &[Looked]) -> Vec<Looked> {
        let gains = |one: &&Looked| one.difference.is_some_and(|by| self.metric.mode().is_better(by, 0.0));
        let mut ahead: Vec<Looked> = looked.iter().filter(gains).cloned().collect();
        ahead.sort_by(|one, other| self.compare(one, other));
        ahead
    }

    /// Whether the settings as they are can have that technique.
    pub(super) fn can(&self, technique: &str) -> bool {
        self.with(technique).is_ok_and(|settings| self.data.spec(&settings, self.kind).is_ok())
    }

    /// The settings as they are with a technique.
    fn with(&self, name: &str) -> Result<Options, RunError> {
        let mut settings = self.settings.clone();
        for (name, value) in technique(name, &self.settings, self.kind)?.settings {
            settings.set(&name, OsStr::new(&value))?;
        }
        Ok(settings)
    }

    /// The better one first.
    fn compare(&self, one: &Looked, other: &Looked) -> Ordering {
        let gain = |one: &Looked| gain(one.difference, self.metric.mode());
        gain(other).total_cmp(&gain(one))
    }

    fn one_look(
        &mut self,
        (round, number): (usize, usize),
        treatment: Treatment,
        may: &dyn Fn(&Self, &Treatment, &Path) -> Result<bool, RunError>,
        observer: &mut dyn Observer,
    ) -> Result<Option<Looked>, RunError> {
        let run = self.dir.path().join(LOOKS).join(format!("{round}-{number}"));
        if !may(self, &treatment, &run)? {
            return Ok(None);
        }
        let settings = Options { no_report: Some(true), ..self.with(&treatment.technique)? };
        let trained = self.train(&run, settings, &mut Brief(observer));
        self.looks.push(run.clone());
        self.note()?;
        let difference = match trained {
            Ok(()) => Some(self.value(&run)? - self.value(&self.compared)?).filter(|by| by.is_finite()),
            Err(RunError::Diverged(_)) => None,
            Err(error) => return Err(error),
        };
        observer
            .notice(&Notice::Improving(Step::Looked { technique: treatment.technique.clone(), difference }));
        Ok(Some(Looked { treatment, run, difference }))
    }

    /// The metric at a run's best epoch.
    fn value(&self, run: &Path) -> Result<f64, RunError> {
        let events = RunDir::open(run)?.events()?.rows;
        Ok(best_epoch(&epochs(&events), self.metric).map_or(f64::NAN, |epoch| epoch.value(self.metric)))
    }
}

/// How much better a difference of the metric is than none; the worst where there is none to compare.
fn gain(difference: Option<f64>, mode: Mode) -> f64 {
    difference.map_or(f64::NEG_INFINITY, |by| if mode == Mode::Min { -by } else { by })
}

/// Two techniques as one; none where both are about one setting.
fn together(one: &Treatment, other: &Treatment) -> Option<Treatment> {
    let taken = |part: &str| setting(part) == setting(&other.technique);
    if one.technique.split(TOGETHER).any(taken) {
        return None;
    }
    let mut findings = one.findings.clone();
    findings.extend(other.findings.iter().filter(|name| !one.findings.contains(name)));
    let technique = format!("{}{TOGETHER}{}", one.technique, other.technique);
    Some(Treatment { technique, findings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_diagnose::Name;

    #[test]
    fn a_loss_that_became_nan_is_the_worst() {
        for (mode, better, worse) in [(Mode::Max, 0.1, -0.1), (Mode::Min, -0.1, 0.1)] {
            let gains = [Some(better), Some(worse), None].map(|difference| gain(difference, mode));
            assert!(gains.is_sorted_by(|one, other| one > other), "{mode:?}: {gains:?}");
        }
    }

    #[test]
    fn techniques_about_one_setting_are_not_put_together() {
        let of = |technique: &str, findings: &[Name]| Treatment {
            technique: technique.to_owned(),
            findings: findings.to_vec(),
        };
        let rate = of("lr=0.1", &[Name::LrTooLow]);
        let both = together(&rate, &of("hflip", &[Name::LrTooLow, Name::Overfitting])).unwrap();
        assert_eq!(both, of("lr=0.1 + hflip", &[Name::LrTooLow, Name::Overfitting]));
        assert_eq!(together(&both, &of("hflip", &[])), None);
        assert_eq!(together(&both, &of("lr=0.3", &[])), None);
    }
}
