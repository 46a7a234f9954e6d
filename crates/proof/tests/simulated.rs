//! The rules keep their promises on trials whose truth is known. Bounds are four standard errors: by chance one such bound fails
//! in 30,000 runs, and the random numbers are the same in each.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the example uses the rest")]
mod simulation;

use simulation::{
    FOUND, Shape, Share, Spread, coverage, coverage_until_sure, design, family, family_of, fixed, growing,
    mean_pairs, peeking, tests_alone, verdicts,
};
use wellfit_proof::{Design, Pairs, Verdict};

const REPETITIONS: u32 = 3000;
const UNTIL: Pairs = Pairs::UntilSure { at_most: 30 };

/// The standard error of a share, were the true one `share`.
fn error_at(found: Share, share: f64) -> f64 {
    (share * (1.0 - share) / f64::from(found.of)).sqrt()
}

#[track_caller]
fn at_most(share: Share, bound: f64) {
    assert!(share.value() <= bound + 4.0 * error_at(share, bound), "{} is above {bound}", share.value());
}

#[track_caller]
fn about(share: Share, expected: f64) {
    let off = (share.value() - expected).abs();
    assert!(off <= 4.0 * error_at(share, expected), "{} is not {expected}", share.value());
}

#[test]
fn nothing_is_rarely_found_in_nothing() {
    for seeds in [6, 10] {
        for shape in [Shape::Normal, Shape::Heavy, Shape::Coarse] {
            at_most(verdicts(REPETITIONS, &design(fixed(seeds), 1, 0.5), shape, 0.0, &FOUND), 0.05);
        }
        let [t, flips] = tests_alone(REPETITIONS, Shape::Normal, seeds);
        about(t, 0.05);
        // The largest share of 2ⁿ signs that is no more than .05, without ties.
        let ways = 2.0_f64.powi(seeds as i32 - 1);
        about(flips, (0.05 * ways).floor() / ways);
    }
    for shape in [Shape::Normal, Shape::Heavy, Shape::Coarse] {
        at_most(verdicts(REPETITIONS, &design(UNTIL, 1, 0.5), shape, 0.0, &FOUND), 0.05);
    }
    at_most(growing(REPETITIONS, Shape::Normal, 6, 30), 0.05);
    // What all this is for: looking after each pair.
    assert!(peeking(REPETITIONS, 20).value() > 0.15);
}

#[test]
fn of_several_techniques_none_is_found_in_nothing() {
    at_most(family(REPETITIONS, fixed(10), 3), 0.05);
    at_most(family(REPETITIONS, UNTIL, 3), 0.05);
    // Dropping what is behind claims nothing, so a race errs no more often.
    let race = Design { race: true, ..design(Pairs::UntilSure { at_most: 12 }, 3, 0.5) };
    at_most(family_of(REPETITIONS, &race), 0.05);
}

#[test]
fn what_is_there_is_found() {
    let helps =
        |plan| verdicts(REPETITIONS, &design(plan, 1, 0.5), Shape::Normal, 1.5, &[Verdict::Helps]).value();
    assert!(helps(fixed(10)) > 0.95, "{}", helps(fixed(10)));
    assert!(helps(Pairs::UntilSure { at_most: 30 }) > 0.95, "{}", helps(UNTIL));
    assert!(mean_pairs(REPETITIONS, 30, 1.5) < 12.0);
    let hurts = verdicts(REPETITIONS, &design(fixed(10), 1, 0.5), Shape::Normal, -1.5, &[Verdict::Hurts]);
    assert!(hurts.value() > 0.95, "{}", hurts.value());
}

#[test]
fn a_difference_that_matters_is_rarely_called_none() {
    let none = |plan, effect| {
        verdicts(
            REPETITIONS,
            &design(plan, 1, 1.0),
            Shape::Normal,
            effect,
            &[Verdict::NoDifferenceThatMatters],
        )
    };
    at_most(none(fixed(20), 1.0), 0.05);
    at_most(none(UNTIL, 1.0), 0.05);
    assert!(none(fixed(20), 0.0).value() > 0.8);
}

#[test]
fn new_images_are_where_the_interval_says() {
    let [alone, crossed] = coverage(REPETITIONS, 6, 60, Spread { seeds: 0.02, images: 0.3, rest: 0.3 });
    assert!(alone.value() < 0.85, "seeds alone miss the images: {}", alone.value());
    assert!((0.91..0.98).contains(&crossed.value()), "{}", crossed.value());
    let sure = coverage_until_sure(REPETITIONS / 3, 60, Spread { seeds: 0.02, images: 0.3, rest: 0.3 });
    assert!(sure.value() > 0.95, "{}", sure.value());
    // Where there is nothing but seeds, the interval is theirs.
    let [alone, crossed] = coverage(REPETITIONS, 6, 60, Spread { seeds: 0.3, images: 0.0, rest: 0.3 });
    about(alone, 0.95);
    assert!((0.93..0.98).contains(&crossed.value()), "{}", crossed.value());
}
