//! The text that a diagnosis prints.

use wellfit::base::words::plural;
use wellfit::diagnose::{Advice, Curves, Diagnosis, Evidence, Finding, Name};

/// Findings that `train` tells in the end.
const WEIGHTIEST: usize = 3;

/// All of it.
pub fn all(curves: &Curves, diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}, {}",
        diagnosis.source,
        curves.format.title(),
        plural(diagnosis.epochs, "epoch")
    )];
    for finding in &diagnosis.findings {
        lines.push(String::new());
        lines.extend(lines_of(finding));
    }
    if diagnosis.findings.is_empty() {
        lines.extend([String::new(), "Nothing could be looked for.".to_owned()]);
    }
    if !diagnosis.not_looked_at.is_empty() {
        lines.extend([String::new(), "Could not be looked for, for want of".to_owned()]);
        let missing = |unknown: &wellfit::diagnose::Unknown| {
            format!("  {}: {}", unknown.name, unknown.missing.join("; "))
        };
        lines.extend(diagnosis.not_looked_at.iter().map(missing));
    }
    lines
}

fn lines_of(finding: &Finding) -> Vec<String> {
    let onset = finding.onset.map_or_else(String::new, |epoch| format!(" (from epoch {epoch})"));
    let mut lines = vec![format!("{}{onset}", finding.name), format!("  {}", finding.sentence)];
    if !finding.advice.is_empty() {
        lines.push(format!("  Try {}", advice(&finding.advice)));
    }
    let evidence = |of: &Evidence| {
        format!(
            "  Evidence: {} is {}; threshold {} ({})",
            of.series,
            short(of.value),
            short(of.threshold),
            of.source
        )
    };
    lines.extend(finding.evidence.iter().map(evidence));
    if !finding.excludes.is_empty() {
        lines.push(format!("  Other reasons: {}", finding.excludes.join("; ")));
    }
    if !finding.missing.is_empty() {
        lines.push(format!("  More certain with: {}", finding.missing.join("; ")));
    }
    lines
}

/// `--patience 10, or --min-delta 0.01`.
fn advice(advice: &[Advice]) -> String {
    let change = |advice: &Advice| match &advice.from {
        Some(from) if !advice.to.is_empty() => format!("{advice} (it was {from})"),
        _ => advice.to_string(),
    };
    advice.iter().map(change).collect::<Vec<_>>().join(", or ")
}

/// A number with four digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if rounded != 0.0 && rounded.abs() < 1e-3 { format!("{rounded:e}") } else { format!("{rounded}") }
}

/// The weightiest findings, a line each, for the end of a training; none where nothing is wrong.
pub fn weightiest(diagnosis: &Diagnosis) -> Vec<String> {
    let found = diagnosis.findings.iter().filter(|finding| finding.name != Name::Healthy);
    let line = |finding: &Finding| match finding.advice.as_slice() {
        [] => format!("{}: {}", finding.name, finding.sentence),
        changes => format!("{}: {} Try {}", finding.name, finding.sentence, advice(changes)),
    };
    found.take(WEIGHTIEST).map(line).collect()
}

#[cfg(test)]
mod tests {
    use crate::parser::parser;
    use wellfit::diagnose::findings::Flag;

    #[test]
    fn advice_names_options_that_train_has() {
        let parser = parser();
        let train = parser.find_subcommand("train").unwrap();
        let options: Vec<String> =
            train.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        for flag in Flag::ALL {
            assert!(options.iter().any(|option| option == flag.name()), "{}", flag.name());
        }
    }
}
