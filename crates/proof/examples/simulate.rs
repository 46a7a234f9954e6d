//! Simulates the rules on trials whose truth is known and prints the tables of docs/prove.md: `just simulate-proof`.
#![allow(clippy::expect_used, reason = "simulated results are finite")]

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use simulation::{
    FOUND, Shape, Share, Spread, coverage, coverage_until_sure, design, family, fixed, growing, mean_pairs,
    peeking, tests_alone, verdicts,
};
use wellfit_proof::{Pairs, Verdict};

/// A share in percent.
fn percent(share: Share) -> String {
    format!("{:.2} %", 100.0 * share.value())
}

fn until(at_most: usize) -> Pairs {
    Pairs::UntilSure { at_most }
}

fn main() {
    let repetitions = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    println!("{repetitions} repetitions each\n");
    println!(
        "| differences, no effect | pairs | verdict | t test alone | sign flips alone |\n|---|---|---|---|---|"
    );
    for shape in Shape::ALL {
        for seeds in [6, 10, 20] {
            let found = verdicts(repetitions, &design(fixed(seeds), 1, 0.5), shape, 0.0, &FOUND);
            let [t, flips] = tests_alone(repetitions, shape, seeds);
            println!(
                "| {} | {seeds} | {} | {} | {} |",
                shape.name(),
                percent(found),
                percent(t),
                percent(flips)
            );
        }
    }
    println!(
        "\n| differences, no effect | until sure, 5 to 30 pairs | 6 pairs, then up to 30 |\n|---|---|---|"
    );
    for shape in Shape::ALL {
        let found = verdicts(repetitions, &design(until(30), 1, 0.5), shape, 0.0, &FOUND);
        println!(
            "| {} | {} | {} |",
            shape.name(),
            percent(found),
            percent(growing(repetitions, shape, 6, 30))
        );
    }
    println!(
        "\nA t test after each pair, 5 to 20: {}; to 30: {}",
        percent(peeking(repetitions, 20)),
        percent(peeking(repetitions, 30))
    );
    println!(
        "\n| effect | 6 pairs | 10 pairs | 20 pairs | until sure, by 10 | by 30 | its mean pairs |\n|---|---|---|---|---|---|---|"
    );
    for effect in [0.5, 1.0, 1.5, 2.0] {
        let helps = |plan| {
            percent(verdicts(repetitions, &design(plan, 1, 0.5), Shape::Normal, effect, &[Verdict::Helps]))
        };
        println!(
            "| {effect} sd | {} | {} | {} | {} | {} | {:.1} |",
            helps(fixed(6)),
            helps(fixed(10)),
            helps(fixed(20)),
            helps(until(10)),
            helps(until(30)),
            mean_pairs(repetitions, 30, effect)
        );
    }
    println!("\n| techniques without effect, one baseline | 10 pairs | until sure, 5 to 30 |\n|---|---|---|");
    for count in [2, 3, 5] {
        println!(
            "| {count} | {} | {} |",
            percent(family(repetitions, fixed(10), count)),
            percent(family(repetitions, until(30), count))
        );
    }
    println!(
        "\n| true difference, in margins | 20 pairs, margin 1 sd | until sure, 5 to 30 |\n|---|---|---|"
    );
    for effect in [0.0, 0.5, 1.0] {
        let none = |plan| {
            percent(verdicts(
                repetitions,
                &design(plan, 1, 1.0),
                Shape::Normal,
                effect,
                &[Verdict::NoDifferenceThatMatters],
            ))
        };
        println!("| {effect} | {} | {} |", none(fixed(20)), none(until(30)));
    }
    println!("\n| sd of seeds, images, rest | seeds × images | seeds alone | crossed |\n|---|---|---|---|");
    let spread = |[seeds, images, rest]: [f64; 3]| Spread { seeds, images, rest };
    for (seeds, images) in [(6, 100), (10, 100)] {
        for parts in [[0.02, 0.3, 0.3], [0.05, 0.3, 0.3], [0.05, 0.0, 0.3], [0.0, 0.3, 0.3], [0.0, 0.0, 0.3]]
        {
            let [alone, crossed] = coverage(repetitions, seeds, images, spread(parts));
            println!("| {parts:?} | {seeds} × {images} | {} | {} |", percent(alone), percent(crossed));
        }
    }
    let sure = coverage_until_sure(repetitions / 10, 100, spread([0.05, 0.3, 0.3]));
    println!(
        "\nUntil sure, 100 images, [0.05, 0.3, 0.3]: the crossed interval holds {} of {}",
        percent(sure),
        sure.of
    );
}
