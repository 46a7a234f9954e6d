//! What a lab's seeds prove: its two networks are the arms of a pair, a seed is a pair.

use crate::error::CliError;
use serde_json::{Value, json};
use wellfit::base::words::plural;
use wellfit::policy::Mode;
use wellfit::proof::{Design, Judged, Measured, PairResult, Pairs, Technique, Verdict, judge};

/// What is compared.
pub struct Compared<'a> {
    /// The technique.
    pub technique: &'a str,
    /// The metric, and whether more of it is better.
    pub metric: (&'a str, Mode),
    /// The least difference that matters.
    pub delta: f64,
}

/// The verdict on pairs of results, without and with the technique, as `prove` gives it: a sentence and its figures. None for
/// a single seed, which shows the technique at work and proves nothing.
pub fn verdict(
    compared: &Compared<'_>,
    results: impl IntoIterator<Item = [f64; 2]>,
) -> Result<Option<(String, Value)>, CliError> {
    let pairs: Vec<PairResult> = results
        .into_iter()
        .map(|[baseline, treated]| PairResult { baseline, treated, ..PairResult::default() })
        .collect();
    let Compared { technique, metric: (metric, mode), delta } = *compared;
    let named = Technique { name: technique.to_owned(), settings: Default::default() };
    let mut design = Design::new(metric, mode, vec![named]);
    design.delta = delta;
    let (seeds, fewest) = (pairs.len(), design.fewest_pairs());
    if seeds < 2 {
        return Ok(None);
    }
    if seeds < fewest {
        let text = format!(
            "{} prove nothing: it takes {fewest} (--seeds {fewest}) for a verdict",
            plural(seeds, "seed")
        );
        return Ok(Some((text, json!({ "verdict": Verdict::NoEvidence, "pairs": seeds }))));
    }
    design.pairs = Pairs::Fixed { seeds, grown_to: None };
    let measured = [Measured { name: technique.to_owned(), pairs }];
    let outcome = judge("lab", &design, &measured).map_err(|error| CliError::Diverged(error.to_string()))?;
    let Some(judged) = outcome.techniques.first() else { return Ok(None) };
    let value = json!({
        "verdict": judged.verdict, "pairs": judged.pairs, "metric": metric, "mean_difference": judged.mean_difference,
        "interval": judged.interval, "p": judged.p, "e": judged.e, "won": judged.won, "more_seeds": judged.more_seeds,
    });
    Ok(Some((sentence(judged, metric, delta), value)))
}

fn sentence(judged: &Judged, metric: &str, delta: f64) -> String {
    let said = match (judged.verdict, judged.more_seeds) {
        (Verdict::Helps, _) => "it helps".to_owned(),
        (Verdict::Hurts, _) => "it hurts".to_owned(),
        (Verdict::NoDifferenceThatMatters, _) => format!("whatever it does is less than {delta}"),
        (Verdict::IdenticalBits, _) => "both networks are the same to the bit".to_owned(),
        (Verdict::NoEvidence, None) => "the seeds do not tell".to_owned(),
        (Verdict::NoEvidence, Some(more)) => format!("the seeds do not tell; {more} more would"),
    };
    let interval = judged
        .interval
        .map_or_else(String::new, |[low, high]| format!(", 95 % interval {low:+.4} to {high:+.4}"));
    let p = judged.p.map_or_else(String::new, |p| format!(", sign-flip p {p:.4}"));
    format!(
        "Verdict on {}: {said}. {metric} {:+.4}{interval}{p}, {} of {} seeds won",
        judged.name, judged.mean_difference, judged.won, judged.pairs
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_seeds_that_agree_are_a_verdict_and_fewer_are_none() {
        let compared = Compared { technique: "dropout", metric: ("test_loss", Mode::Min), delta: 0.01 };
        let results = [[0.5, 0.4], [0.6, 0.45], [0.5, 0.42], [0.7, 0.5], [0.55, 0.45], [0.52, 0.4]];
        let (text, value) = verdict(&compared, results).unwrap().unwrap();
        assert_eq!((&value["verdict"], &value["won"]), (&json!("helps"), &json!(6)), "{text}");
        let (text, value) = verdict(&compared, results.into_iter().take(3)).unwrap().unwrap();
        assert!(value["verdict"] == "no-evidence" && text.contains("--seeds 6"), "{text}");
        assert!(verdict(&compared, [[0.5, 0.4]]).unwrap().is_none());
    }
}
