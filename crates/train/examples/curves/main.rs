//! Makes the curves of the benchmark of diagnoses: trainings with a provoked fault, and healthy ones.
//!
//! `cargo run -p wellfit-train --example curves -- SETS_DIR OUT.jsonl [PART OF]`: pictures as `scripts/curves/sets.py` writes
//! them; a line a training is appended to OUT. What it has already is not made again, so it may be interrupted. With PART and
//! OF it makes only each OF-th training, from the PART-th on.
//!
//! Each training is judged after every epoch on held-out pictures that no rule of diagnosis sees: `test_loss`,
//! `test_accuracy`, `test_right`.

#![allow(clippy::unwrap_used, reason = "a measurement may panic")]

mod conditions;
mod line;
mod networks;
mod sets;
mod training;

use std::collections::HashSet;
use std::fs::{OpenOptions, read_to_string};
use std::io::Write;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sets, out, rest @ ..] = arguments.as_slice() else {
        return println!("usage: curves SETS_DIR OUT.jsonl [PART OF]");
    };
    let (part, of) = match rest {
        [part, of] => (part.parse().unwrap(), of.parse().unwrap()),
        _ => (0, 1),
    };
    let sets = sets::Sets::new(sets.into());
    let mut all = conditions::all();
    if sets.is_empty() {
        return all.iter().for_each(|condition| println!("{}", condition.id()));
    }
    // The cheap ones of all kinds come first: what the time does not suffice for is missing evenly.
    all.sort_by_key(|condition| (condition.seed, condition.net == "resnet20"));
    for (place, condition) in all.iter().enumerate() {
        let done: HashSet<String> =
            read_to_string(out).unwrap_or_default().lines().filter_map(line::id_of).collect();
        if place % of != part || done.contains(&condition.id()) {
            continue;
        }
        let start = std::time::Instant::now();
        let Some(text) = training::train(condition, &sets) else {
            println!("{}: no epoch was done", condition.id());
            continue;
        };
        let mut file = OpenOptions::new().create(true).append(true).open(out).unwrap();
        file.write_all(format!("{text}\n").as_bytes()).unwrap();
        println!("{place}/{} {} {:.1} s", all.len(), condition.id(), start.elapsed().as_secs_f64());
    }
}
