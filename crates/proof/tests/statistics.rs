//! Every statistic against scipy and statsmodels (`parity/proof.py`).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "../../../parity/table.rs"]
mod table;

use serde::Deserialize;
use wellfit_policy::classification::Interval;
use wellfit_proof::{
    Boundary, Crossed, Flips, Paired, cautious_deviation, contrasts, correlation, e_value, equivalent, holm,
    pairs_needed, power, sign_flip_p,
};

#[derive(Deserialize)]
struct Fixture {
    paired: Vec<PairedCase>,
    crossed: Vec<CrossedCase>,
    flips: Vec<(u64, u64, f64)>,
    power: Vec<(usize, f64, f64, f64)>,
    needed: Vec<(f64, f64, usize)>,
    boundaries: Vec<(usize, f64, f64)>,
    factorial: Vec<FactorialCase>,
    holm: Vec<(Vec<f64>, Vec<f64>)>,
}

#[derive(Deserialize)]
struct PairedCase {
    baseline: Vec<f64>,
    treated: Vec<f64>,
    mean: f64,
    deviation: f64,
    t: f64,
    p: f64,
    intervals: Vec<[f64; 3]>,
    sign_flip: Option<f64>,
    correlation: f64,
    e: Option<f64>,
    tost: Vec<[f64; 2]>,
    cautious: f64,
}

#[derive(Deserialize)]
struct CrossedCase {
    table: Vec<Vec<f64>>,
    mean: f64,
    variance: f64,
    freedom: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct FactorialCase {
    cells: Vec<f64>,
    contrasts: Vec<f64>,
}

fn fixture() -> Fixture {
    let path = format!("{}/tests/fixtures/statistics.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl PairedCase {
    fn paired(&self) -> Paired {
        Paired::of_arms(&self.baseline, &self.treated).unwrap()
    }
}

/// The largest relative difference seen, and that none exceeds the tolerance.
struct Largest {
    tolerance: f64,
    seen: f64,
}

impl Largest {
    fn new(tolerance: f64) -> Self {
        Self { tolerance, seen: 0.0 }
    }

    fn compare(&mut self, what: &str, found: f64, expected: f64) {
        let off = (found - expected).abs() / expected.abs().max(1e-9);
        assert!(off <= self.tolerance, "{what}: {found}, not {expected}");
        self.seen = self.seen.max(off);
    }
}

/// Closed forms: what is left is the rounding of two implementations of the incomplete beta function.
const CLOSED: f64 = 1e-10;

#[test]
fn means_intervals_and_p_values_of_pairs() {
    let cases = fixture().paired;
    let mut largest = Largest::new(CLOSED);
    for case in &cases {
        let paired = case.paired();
        for (what, found, expected) in [
            ("mean", paired.mean(), case.mean),
            ("deviation", paired.deviation(), case.deviation),
            ("t", paired.t(), case.t),
            ("p", paired.t_p(), case.p),
            ("cautious deviation", cautious_deviation(&paired), case.cautious),
            ("correlation", correlation(&case.baseline, &case.treated).unwrap(), case.correlation),
        ] {
            largest.compare(what, found, expected);
        }
        for &[alpha, low, high] in &case.intervals {
            let Interval { low: found_low, high: found_high } = paired.t_interval(alpha);
            // An end near zero is the difference of numbers of the deviation's size.
            largest.compare("interval", (found_low - low) / case.deviation + 1.0, 1.0);
            largest.compare("interval", (found_high - high) / case.deviation + 1.0, 1.0);
        }
    }
    let compared =
        format!("{} trials of 2 to 60 pairs: means, deviations, t, p, r, intervals of 4 levels", cases.len());
    table::row("Paired differences", &["scipy"], &compared, "1e-10", largest.seen);
}

#[test]
fn sign_flips_are_counted_as_scipy_does() {
    let cases = fixture().paired;
    let mut counted = 0;
    for case in &cases {
        if let Some(expected) = case.sign_flip {
            assert_eq!(sign_flip_p(&case.paired()), expected, "{:?}", case.paired().differences());
            counted += 1;
        }
    }
    table::row(
        "Sign-flip test",
        &["scipy"],
        &format!("{counted} trials, all signs, with ties"),
        "equal",
        0.0,
    );
}

/// nct's density in scipy and the quadrature leave about 1e-9.
#[test]
fn e_values_are_likelihood_ratios() {
    let fixture = fixture();
    let mut largest = Largest::new(1e-8);
    let mut compared = 0;
    for case in &fixture.paired {
        if let Some(expected) = case.e {
            largest.compare("e", e_value(&case.paired()), expected);
            compared += 1;
        }
    }
    for &(pairs, alpha, expected) in &fixture.boundaries {
        largest.compare("boundary", Boundary::Anytime.critical(pairs, alpha), expected);
    }
    let compared = format!("{compared} e-values, {} boundaries", fixture.boundaries.len());
    table::row("Anytime-valid t test", &["scipy"], &compared, "1e-8", largest.seen);
}

#[test]
fn new_images_as_the_analysis_of_variance_says() {
    let cases = fixture().crossed;
    let mut largest = Largest::new(CLOSED);
    for case in &cases {
        let crossed = Crossed::new(&case.table).unwrap();
        largest.compare("mean", crossed.mean, case.mean);
        largest.compare("variance", crossed.variance, case.variance);
        largest.compare("freedom", crossed.freedom, case.freedom);
        let interval = crossed.interval(0.05);
        let width = case.interval[1] - case.interval[0];
        largest.compare("low", (interval.low - case.interval[0]) / width + 1.0, 1.0);
        largest.compare("high", (interval.high - case.interval[1]) / width + 1.0, 1.0);
    }
    let compared =
        format!("{} tables of seeds × images: variances, degrees of freedom, intervals", cases.len());
    table::row("Seeds and images crossed", &["statsmodels", "scipy"], &compared, "1e-10", largest.seen);
}

#[test]
fn two_one_sided_tests_decide_alike() {
    let mut decisions = [0; 2];
    for case in fixture().paired {
        for &[margin, p] in &case.tost {
            for alpha in [0.05, 0.01, 0.2] {
                let found = equivalent(&case.paired(), Boundary::Fixed, margin, alpha);
                assert_eq!(found, p < alpha, "margin {margin}, p {p}");
                decisions[usize::from(found)] += 1;
            }
        }
    }
    assert!(decisions.iter().all(|count| *count > 20), "both answers occur: {decisions:?}");
    let compared = format!("{} decisions", decisions.iter().sum::<i32>());
    table::row("Two one-sided tests", &["statsmodels"], &compared, "equal", 0.0);
}

#[test]
fn fixed_and_broken_images_by_mc_nemar() {
    let cases = fixture().flips;
    let mut largest = Largest::new(CLOSED);
    for &(fixed, broken, p) in &cases {
        largest.compare("p", Flips { fixed, broken }.p(), p);
    }
    table::row(
        "McNemar's exact test",
        &["statsmodels"],
        &format!("{} pairs of counts", cases.len()),
        "1e-10",
        largest.seen,
    );
}

/// Φ of `statrs` is good to 1e-10, and so are powers.
#[test]
fn powers_and_numbers_of_pairs() {
    let fixture = fixture();
    let mut largest = Largest::new(1e-8);
    for &(pairs, effect, alpha, expected) in &fixture.power {
        largest.compare("power", power(Boundary::Fixed, pairs, effect, alpha), expected);
    }
    for &(effect, alpha, expected) in &fixture.needed {
        assert_eq!(pairs_needed(Boundary::Fixed, effect, alpha), Some(expected), "{effect} at {alpha}");
    }
    let compared = format!("{} powers, {} numbers of pairs", fixture.power.len(), fixture.needed.len());
    table::row("Power of the t test", &["statsmodels"], &compared, "1e-8; numbers equal", largest.seen);
}

#[test]
fn several_techniques_and_factors() {
    let fixture = fixture();
    let mut largest = Largest::new(CLOSED);
    for (p, expected) in &fixture.holm {
        for (found, expected) in holm(p).into_iter().zip(expected) {
            largest.compare("Holm's p", found, *expected);
        }
    }
    for case in &fixture.factorial {
        for (found, expected) in contrasts(&case.cells).unwrap().into_iter().zip(&case.contrasts) {
            // An effect is the difference of means of .9.
            largest.compare("contrast", found - expected + 1.0, 1.0);
        }
    }
    let compared = format!("{} lists of p, {} factorials", fixture.holm.len(), fixture.factorial.len());
    table::row("Holm, 2ᵏ factorials", &["statsmodels", "numpy"], &compared, "1e-10", largest.seen);
}
