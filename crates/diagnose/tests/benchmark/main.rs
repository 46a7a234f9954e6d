//! How often the rules are right on real trainings: the benchmark of diagnoses.
//!
//! `tests/fixtures/curves.jsonl.gz` has the curves of trainings with a provoked fault, and of healthy ones; `curves` of crate
//! `train` made them. Constants are tuned on one half and frozen; the figures in the documentation are of the other half.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod baselines;
mod curve;
mod frozen;
mod score;
mod table;
mod truth;

use curve::{Case, lines};
use score::{Scores, View, score};
use truth::ById;

/// How rules see a case, and its name.
const VIEWS: [(&str, View); 2] =
    [("a run", |case: &Case<'_>| case.recorded()), ("a CSV", |case: &Case<'_>| case.table())];

fn scores(held_out: bool) -> Vec<(&'static str, Scores)> {
    let lines = lines();
    let all: ById<'_> = lines.iter().map(|line| (line.id.as_str(), line)).collect();
    let part = || lines.iter().filter(|line| line.is_held_out() == held_out);
    VIEWS.into_iter().map(|(name, view)| (name, score(part(), &all, view))).collect()
}

/// `WELLFIT_TUNE=1 cargo test -p wellfit-diagnose --test benchmark -- --nocapture`: the tuning half, with each wrong answer.
#[test]
fn tuning() {
    if std::env::var_os("WELLFIT_TUNE").is_some() {
        for (view, scores) in scores(false) {
            println!("{}", table::text(view, &scores));
            scores.wrong.iter().for_each(|wrong| println!("{view}: {wrong}"));
        }
    }
}

/// The table in the documentation is what the shipped curves give; `WELLFIT_BENCHMARK=1` writes it.
#[test]
fn the_documented_table_is_of_these_curves() {
    table::check_or_write(&scores(true));
}
