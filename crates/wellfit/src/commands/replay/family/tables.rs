//! What a family of policies prints.

use super::found::Found;
use crate::output::Output;
use wellfit::base::words::plural;
use wellfit::policy::Semantics;
use wellfit::policy::family::{Known, RateMember, StoppingMember};
use wellfit::run::duration;

/// All tables; `best` is the place of the best member on the first record.
pub fn show(found: &[Found], best: Option<usize>, out: Output) {
    let first = &found[0];
    let Found { metrics, best: top, .. } = first;
    let (epochs, name) = (metrics.epochs.len(), &metrics.name);
    out.say(format!(
        "{name} from {}: {}, best {:.5} at epoch {}",
        metrics.place,
        plural(epochs, "epoch"),
        top.1,
        top.0
    ));
    out.say("");
    stopping(first, out);
    if !first.rates.is_empty() {
        out.say("");
        rates(&first.rates, out);
    }
    out.say("");
    for line in notes(first) {
        out.say(line);
    }
    if let Some(best) = best {
        out.say("");
        regret(found, best, out);
    }
}

/// A line for policies with the same outcome: patiences that stop alike stand together.
fn stopping(found: &Found, out: Output) {
    let head = [
        "early stopping",
        "delta",
        "patience",
        "stops after",
        "best epoch",
        "epochs saved",
        "time saved",
        "given up",
        "known",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    let outcome = |m: &StoppingMember| {
        (m.config.semantics, m.config.min_delta.to_bits(), m.stop, m.best.0, m.known, m.is_tied)
    };
    for alike in found.stopping.chunk_by(|a, b| outcome(a) == outcome(b)) {
        let (first, last) = (&alike[0], &alike[alike.len() - 1]);
        let time = found.metrics.seconds_of_last(first.saved).filter(|_| first.saved > 0);
        rows.push([
            semantics(first.config.semantics).to_owned(),
            first.config.min_delta.to_string(),
            range(first.config.patience, last.config.patience),
            first.stop.map_or_else(|| "never".to_owned(), |stop| stop.to_string()),
            first.best.0.to_string(),
            first.saved.to_string(),
            time.map_or_else(|| "-".to_owned(), duration),
            format!("{:.5}", first.given_up),
            format!("{}{}", known(first.known), if first.is_tied { ", tied" } else { "" }),
        ]);
    }
    out.table(&rows, 1..8);
}

fn rates(members: &[RateMember], out: Output) {
    let mut rows = vec![["lr scheduler", "patience", "lowered after epoch", "known"].map(str::to_owned)];
    let outcome = |m: &RateMember| (m.config.semantics, m.lowered.clone(), m.known);
    for alike in members.chunk_by(|a, b| outcome(a) == outcome(b)) {
        let (first, last) = (&alike[0], &alike[alike.len() - 1]);
        let lowered: Vec<String> = first.lowered.iter().map(u32::to_string).collect();
        rows.push([
            semantics(first.config.semantics).to_owned(),
            range(first.config.patience, last.config.patience),
            if lowered.is_empty() { "never".to_owned() } else { lowered.join(", ") },
            known(first.known),
        ]);
    }
    out.table(&rows, 1..2);
}

fn range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

fn semantics(of: Semantics) -> &'static str {
    match of {
        Semantics::Torch => "torch",
        Semantics::Keras => "keras",
        Semantics::Lightning => "lightning",
        Semantics::Book => "book",
    }
}

fn known(known: Known) -> String {
    match known {
        Known::Exact => "exact".to_owned(),
        Known::Bound => "bound".to_owned(),
        Known::Until(epoch) => format!("until epoch {epoch}, then –"),
    }
}

/// What the words of the last column mean, those that occur.
fn notes(found: &Found) -> Vec<String> {
    let mut notes = vec![
        "exact: the policy ends within the record, so this is what it would have done: early stopping changes no rate.".to_owned(),
    ];
    let knowns: Vec<Known> =
        found.stopping.iter().map(|m| m.known).chain(found.rates.iter().map(|m| m.known)).collect();
    if knowns.contains(&Known::Bound) {
        notes.push("bound: the record ends before the policy does; the run would have trained longer, and its best is at least as good.".to_owned());
    }
    if knowns.iter().any(|known| matches!(known, Known::Until(_))) {
        notes.push("–: from there on the rate would not be the recorded one, and nobody knows the metrics: train with these options to know (the same seed gives the same epochs up to there).".to_owned());
    }
    if found.stopping.iter().any(|member| member.is_tied) {
        notes.push("tied: two numbers are equal, or nearly, as they are printed; digits that the file lacks may decide otherwise.".to_owned());
    }
    notes
}

/// What the best policy of the first record does on the others.
fn regret(found: &[Found], best: usize, out: Output) {
    let member = &found[0].stopping[best];
    let config = &member.config;
    out.say(format!(
        "Best on this record: {} with patience {} and delta {}, chosen after the fact: its figures here are too good.",
        semantics(config.semantics),
        config.patience,
        config.min_delta
    ));
    if found.len() == 1 {
        out.say("Give the records of other seeds as well to see what it gives up there.");
        return;
    }
    let mut rows =
        vec![["record", "stops after", "epochs saved", "given up (regret)", "known"].map(str::to_owned)];
    rows.extend(found.iter().map(|record| {
        let member = &record.stopping[best];
        [
            record.metrics.place.clone(),
            member.stop.map_or_else(|| "never".to_owned(), |stop| stop.to_string()),
            member.saved.to_string(),
            format!("{:.5}", member.given_up),
            known(member.known),
        ]
    }));
    out.table(&rows, 1..4);
    let others = &found[1..];
    let mean = others.iter().map(|record| record.stopping[best].given_up).sum::<f64>() / others.len() as f64;
    out.say(format!("Mean regret on the {}: {mean:.5}", plural(others.len(), "other record")));
}
