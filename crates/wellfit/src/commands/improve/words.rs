//! What `improve` says in the end.

use crate::output::Output;
use serde_json::json;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::report::REPORT;
use wellfit::run::options::{Kind, entries};
use wellfit::run::{FinalLook, Improved, OnTest, Round};

/// What was found, tested and adopted, the command for the settings that came out, and the result for programs.
pub fn report(improved: &Improved, data: &str, out: Output) {
    out.say("");
    for repair in &improved.repairs {
        out.say(format!(
            "{}: its loss became NaN; --lr {} was taken without a test",
            repair.run.shown(),
            repair.lr
        ));
    }
    table(&improved.rounds, out);
    for round in &improved.rounds {
        if let Some(arm) = &round.void {
            out.say(format!("{}: nothing, since the loss of {} became NaN", round.trial.shown(), shown(arm)));
        }
    }
    let adopted: Vec<&str> = improved.adopted().collect();
    out.say(match adopted.as_slice() {
        [] => "Adopted: nothing".to_owned(),
        names => format!("Adopted: {}", shown(&names.join(", "))),
    });
    let (budget, spent) = &improved.spent;
    out.say(format!("No further round: {} (spent {spent} of {budget})", improved.stop));
    left(improved, out);
    match &improved.test {
        Some(look) => tell(look, out),
        None => out.say(
            "The data have no test part. The validation images chose what was adopted, so their figures are optimistic: \
             `wellfit data split` sets a test part apart",
        ),
    }
    let command = command(improved, data);
    out.say(format!("The final settings: {command}"));
    out.say(format!("The final run: {}", improved.last.shown()));
    let page = improved.dir.join(REPORT);
    if page.is_file() {
        out.say(format!("Report: {}", page.shown()));
    }
    let mut result = improved.to_json();
    result["command"] = json!(command);
    out.result(&result);
}

fn table(rounds: &[Round], out: Output) {
    let head = ["round", "technique", "because of", "verdict", "pairs", "difference", "e"];
    let mut rows = vec![head.map(str::to_owned)];
    for (number, round) in (1..).zip(rounds) {
        let Some(proof) = &round.proof else { continue };
        for (place, (one, judged)) in round.treatments.iter().zip(&proof.outcome.techniques).enumerate() {
            let adopted = if round.adopted == Some(place) { ", adopted" } else { "" };
            rows.push([
                number.to_string(),
                one.technique.clone(),
                one.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                format!("{}{adopted}", judged.verdict),
                judged.pairs.to_string(),
                format!("{:+.4}", judged.mean_difference),
                format!("{:.3}", judged.e),
            ]);
        }
    }
    if rows.len() > 1 {
        out.fitting_table(&rows, 4..7, &[6, 5]);
    }
}

/// What is still found, and what was not tested.
fn left(improved: &Improved, out: Output) {
    for finding in &improved.left.findings {
        out.say(format!("Still found: {}: {}", finding.name, finding.sentence));
    }
    for one in &improved.left.not_tested {
        let value = if one.to.is_empty() { String::new() } else { format!(" {}", one.to) };
        let option = one.setting.replace('_', "-");
        out.say(format!("Not tested: --{option}{value} (because of {}): {}", one.finding, one.reason));
    }
}

fn tell(look: &FinalLook, out: Output) {
    let share = |of: &OnTest| {
        let [low, high] = of.interval.map(|end| 100.0 * end);
        format!("{:.2} % ({low:.1} to {high:.1})", 100.0 * of.accuracy)
    };
    let last = share(&look.last);
    let images = look.images;
    out.say(match (&look.first, look.fixed, look.broken, look.mcnemar_p) {
        (Some(first), Some(fixed), Some(broken), Some(p)) => format!(
            "Look {} at the test part ({images} images): {} right with the settings given, {last} now; {fixed} answers fixed, \
             {broken} broken (McNemar's p {p:.4} of these two networks)",
            look.look,
            share(first)
        ),
        _ => format!("Look {} at the test part ({images} images): {last} right", look.look),
    });
}

/// The command that trains with the final settings.
fn command(improved: &Improved, data: &str) -> String {
    let mut words = vec!["wellfit train".to_owned(), quoted(data)];
    for entry in entries() {
        let Some(value) = improved.settings.get(entry.name) else { continue };
        let option = format!("--{}", entry.option());
        words.push(match (entry.kind, value.as_str()) {
            (Kind::Switch, "true") => option,
            (Kind::Switch, _) => format!("{option}={value}"),
            _ => format!("{option} {}", quoted(value)),
        });
    }
    words.join(" ")
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
