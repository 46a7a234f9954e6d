//! From the findings of a configuration's runs to what is to be tested.

use crate::error::RunError;
use std::path::Path;
use wellfit_diagnose::findings::Flag;
use wellfit_diagnose::{Advice, Asked, Diagnosis, Finding, Name, diagnose, log};

/// A technique that a trial can test, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treatment {
    /// The name of the technique, such as `lr=0.01`.
    pub technique: String,
    /// The findings that advise it, or its parts; none where it is one that often helps.
    pub findings: Vec<Name>,
}

/// Advice that is not tested, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTested {
    /// The setting, as `early_stopping`.
    pub setting: String,
    /// The value; empty for a switch.
    pub to: String,
    /// The finding that advises it.
    pub finding: Name,
    /// Why.
    pub reason: &'static str,
}

/// What the runs of a configuration show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Advised {
    /// What was found in at least half of the runs, the weightiest first.
    pub findings: Vec<Finding>,
    /// What can be tested.
    pub treatments: Vec<Treatment>,
    /// What cannot.
    pub not_tested: Vec<NotTested>,
}

/// Diagnose the runs of a configuration.
pub(super) fn advised(runs: &[impl AsRef<Path>]) -> Result<Advised, RunError> {
    let diagnosed: Vec<Diagnosis> =
        runs.iter().map(|run| diagnosis(run.as_ref())).collect::<Result<_, _>>()?;
    Ok(of(&common(&diagnosed)))
}

fn diagnosis(run: &Path) -> Result<Diagnosis, RunError> {
    Ok(diagnose(&curves(run)?))
}

fn curves(run: &Path) -> Result<log::Curves, RunError> {
    log::of_path(run, &Asked::default()).map_err(|error| RunError::Output(error.to_string()))
}

/// Whether a run's classes have far from equally many images, so that weights of the classes do something.
pub(super) fn is_uneven(run: &Path) -> Result<bool, RunError> {
    let counts = curves(run)?.facts.class_counts.unwrap_or_default();
    let [least, most] = [counts.iter().min(), counts.iter().max()];
    Ok(least.zip(most).is_some_and(|(least, most)| *most > 2 * least))
}

/// The findings of at least half of the runs, the weightiest first; each as the first run that has it shows it.
fn common(diagnosed: &[Diagnosis]) -> Vec<Finding> {
    let of = |name: Name| {
        diagnosed.iter().filter_map(move |one| one.findings.iter().find(|found| found.name == name))
    };
    let names = Name::ALL.iter().copied().filter(|name| *name != Name::Healthy);
    let often = names.filter(|name| 2 * of(*name).count() >= diagnosed.len());
    often.filter_map(|name| of(name).next().cloned()).collect()
}

fn of(findings: &[Finding]) -> Advised {
    let mut advised = Advised { findings: findings.to_vec(), ..Advised::default() };
    for finding in findings {
        for advice in &finding.advice {
            match untestable(advice) {
                Some(reason) => advised.not_tested.push(NotTested {
                    setting: advice.flag.setting(),
                    to: advice.to.clone(),
                    finding: finding.name,
                    reason,
                }),
                None => {
                    for technique in techniques(advice) {
                        if advised.treatments.iter().all(|other| other.technique != technique) {
                            advised.treatments.push(Treatment { technique, findings: vec![finding.name] });
                        }
                    }
                }
            }
        }
    }
    advised
}

/// Why pairs of runs cannot test that advice; none if they can.
fn untestable(advice: &Advice) -> Option<&'static str> {
    Some(match advice.flag {
        Flag::EarlyStopping => "it saves epochs; the weights of the best epoch are kept anyway",
        Flag::Cache | Flag::Workers => "it changes no result",
        Flag::Folds | Flag::ValSplit => "it would change the images that everything is judged on",
        Flag::Model => "another network costs another amount; prove it with a budget of its own",
        _ if advice.to.starts_with('(') => "it names no value",
        _ => return None,
    })
}

/// The technique that some advice is; of a rate also twice the step, since a rate can be far off.
fn techniques(advice: &Advice) -> Vec<String> {
    let name = advice.flag.name().trim_start_matches('-');
    if advice.to.is_empty() {
        return vec![name.to_owned()];
    }
    let mut found = vec![format!("{name}={}", advice.to)];
    let numbers = advice.from.as_deref().map(str::parse::<f64>).zip(advice.to.parse::<f64>().ok());
    if let (Flag::Lr, Some((Ok(from), to))) = (advice.flag, numbers) {
        let farther: f64 = format!("{:.3e}", to * to / from).parse().unwrap_or(to);
        found.push(format!("{name}={farther}"));
    }
    found
}

/// The first rate that a finding of that run advises.
pub(super) fn advised_rate(run: &Path) -> Option<String> {
    let findings = diagnosis(run).ok()?.findings;
    let advice = findings.into_iter().flat_map(|finding| finding.advice);
    advice
        .filter(|advice| advice.flag == Flag::Lr && untestable(advice).is_none())
        .map(|advice| advice.to)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(found: &[(Name, Flag, Option<&str>, &str)]) -> Diagnosis {
        let finding = |(name, flag, from, to): &(Name, Flag, Option<&str>, &str)| {
            let advice = Advice { flag: *flag, from: from.map(str::to_owned), to: (*to).to_owned() };
            Finding::new(*name, None, String::new()).advise([advice])
        };
        Diagnosis {
            source: String::new(),
            format: "wellfit",
            epochs: 10,
            findings: found.iter().map(finding).collect(),
            not_looked_at: Vec::new(),
        }
    }

    #[test]
    fn what_half_of_the_runs_show_counts() {
        let gap = (Name::GeneralizationGap, Flag::WeightDecay, Some("0"), "0.0001");
        let high = (Name::LrTooHigh, Flag::Lr, Some("0.3"), "0.1");
        let runs = [diagnosis(&[high, gap]), diagnosis(&[gap]), diagnosis(&[gap])];
        let names: Vec<Name> = common(&runs).iter().map(|finding| finding.name).collect();
        assert_eq!(names, [Name::GeneralizationGap]);
        assert_eq!(common(&runs[..2]).len(), 2);
    }

    #[test]
    fn advice_becomes_techniques_or_has_its_reason() {
        let found = of(&common(&[diagnosis(&[
            (Name::LrTooHigh, Flag::Lr, Some("0.3"), "0.1"),
            (Name::Overfitting, Flag::EarlyStopping, None, ""),
            (Name::Overconfident, Flag::Hflip, None, ""),
            (Name::Underfitting, Flag::BatchSize, None, "(larger)"),
            (Name::StillImproving, Flag::Epochs, Some("10"), "20"),
        ])]));
        let names: Vec<&str> = found.treatments.iter().map(|one| one.technique.as_str()).collect();
        assert_eq!(names, ["lr=0.1", "lr=0.03333", "hflip", "epochs=20"]);
        let reasons: Vec<&str> = found.not_tested.iter().map(|one| one.setting.as_str()).collect();
        assert_eq!(reasons, ["early_stopping", "batch_size"]);
    }
}
