//! What `prove` says in the end.

use crate::output::Output;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::base::words::plural;
use wellfit::proof::{Cost, Design, Flips, Judged, Outcome, Verdict};
use wellfit::run::Proof;
use wellfit::run::figures::{duration, is_share};

/// The table and the sentences, and the result for programs.
pub fn report(proof: &Proof, out: Output) {
    let Proof { design, outcome, .. } = proof;
    out.say(format!("{}, treated minus baseline:", design.metric));
    table(outcome, is_share(&design.metric), out);
    for (one, flips) in outcome.techniques.iter().zip(&proof.flips) {
        out.say(format!("{}: {}", shown(&one.name), sentence(one, flips, design)));
    }
    let (all, shared) = proof.epochs;
    if shared > 0 {
        out.say(format!(
            "{} of {all} epochs are common to both arms of a pair and were trained once",
            plural(shared as usize, "epoch")
        ));
    }
    if let Some(look) = &proof.test {
        out.say(format!(
            "Look {} of this trial at the test part, at the best weights of each run. It chose nothing; what it shows must not \
             choose anything either:",
            look.number
        ));
        table(&look.outcome, true, out);
    }
    out.say(format!("The trial with its runs, plan and pictures: {}", proof.dir.shown()));
    out.result(&proof.result);
}

fn table(outcome: &Outcome, shares: bool, out: Output) {
    let head =
        ["technique", "verdict", "pairs", "difference", "interval", "with new images", "p", "e", "won"];
    let row = |one: &Judged| {
        [
            one.name.clone(),
            one.verdict.to_string(),
            one.pairs.to_string(),
            amount(one.mean_difference, shares),
            interval(one.interval, shares),
            interval(one.interval_new_images, shares),
            one.p.map_or_else(|| "–".to_owned(), |p| format!("{p:.4}")),
            format!("{:.3}", one.e),
            format!("{} of {}", one.won, one.pairs),
        ]
    };
    let rows: Vec<[String; 9]> =
        std::iter::once(head.map(str::to_owned)).chain(outcome.techniques.iter().map(row)).collect();
    out.fitting_table(&rows, 2..9, &[7, 8, 5]);
}

/// What a verdict means, and what it is made of.
fn sentence(one: &Judged, flips: &[Flips], design: &Design) -> String {
    let delta = design.delta;
    let mut parts = vec![match (one.verdict, one.more_seeds) {
        (Verdict::Helps, _) => "it helps".to_owned(),
        (Verdict::Hurts, _) => "it hurts".to_owned(),
        (Verdict::NoDifferenceThatMatters, _) => format!("whatever it does is less than {delta}"),
        (Verdict::IdenticalBits, _) => {
            "both arms are the same to the bit: the switch does nothing here".to_owned()
        }
        (Verdict::NoEvidence, None) => {
            "the pairs do not tell, nor would any number that can be trained".to_owned()
        }
        (Verdict::NoEvidence, Some(more)) => {
            format!(
                "the pairs do not tell; {} more would find a difference of {delta} in four of five cases",
                plural(more, "pair")
            )
        }
    }];
    if !flips.is_empty() && one.verdict != Verdict::IdenticalBits {
        let sum = |of: fn(&Flips) -> u64| flips.iter().map(of).sum::<u64>();
        let (fixed, broken) = (sum(|flips| flips.fixed), sum(|flips| flips.broken));
        let told = flips.iter().filter(|flips| flips.p() <= design.alpha).count();
        parts.push(format!(
            "over all pairs it fixed {} and broke {broken}; by McNemar's test alone {told} of {} tell (p ≤ {})",
            plural(fixed as usize, "answer"),
            plural(flips.len(), "pair"),
            design.alpha
        ));
    }
    parts.push(cost(&one.cost));
    if let Some((r, saving)) = one.correlation.zip(one.saving) {
        parts.push(format!("the arms correlate by {r:.2}, so pairing stood for {saving:.1} times the runs"));
    }
    parts.join("; ")
}

fn cost(cost: &Cost) -> String {
    let sign = |x: f64| if x < 0.0 { "less" } else { "more" };
    let Cost { epochs, seconds, images } = *cost;
    format!(
        "a run takes {:.1} epochs {}, {:.0} images {}, {} {}",
        epochs.abs(),
        sign(epochs),
        images.abs(),
        sign(images),
        duration(seconds.abs()),
        sign(seconds)
    )
}

fn amount(x: f64, share: bool) -> String {
    if share { format!("{:+.2} pt", 100.0 * x) } else { format!("{x:+.4}") }
}

fn interval(ends: Option<[f64; 2]>, share: bool) -> String {
    let Some([low, high]) = ends else { return "–".to_owned() };
    if share {
        format!("{:+.2} to {:+.2}", 100.0 * low, 100.0 * high)
    } else {
        format!("{low:+.4} to {high:+.4}")
    }
}

/// What is said of a pair that came out otherwise.
pub fn different(audit: &Path, trial: &Path) -> String {
    format!(
        "{}: a pair came out otherwise than in {}. Bits are promised for one version of Wellfit and one kind of processor: see \
         `start` in the events.jsonl of both",
        audit.shown(),
        trial.shown()
    )
}
