//! Suspects on stored probabilities, compared with those of cleanlab 2.9.0 (parity/label_errors.py).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde::Deserialize;
use wellfit_diagnose::probes::{confident_thresholds, suspects};

#[derive(Deserialize)]
struct Fixture {
    unit: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    classes: usize,
    labels: Vec<u32>,
    /// In parts of `unit`.
    probabilities: Vec<u32>,
    thresholds: Vec<Option<f64>>,
    /// Ascending.
    suspects: Vec<usize>,
    /// The probabilities of the labels of the suspects, most suspect first.
    confidences: Vec<f64>,
}

#[test]
fn suspects_are_cleanlabs() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/label_errors.json")).unwrap();
    let mut all = 0;
    for case in &fixture.cases {
        let probabilities: Vec<f64> =
            case.probabilities.iter().map(|&part| f64::from(part) / f64::from(fixture.unit)).collect();
        let thresholds = confident_thresholds(&probabilities, &case.labels, case.classes);
        for (ours, cleanlabs) in thresholds.iter().zip(&case.thresholds) {
            // Both are means of the same exact numbers; only the order of the sum differs.
            assert!(cleanlabs.map_or(ours.is_infinite(), |other| (ours - other).abs() < 1e-12));
        }
        let found = suspects(&probabilities, &case.labels, case.classes);
        let confidences: Vec<f64> = found.iter().map(|suspect| suspect.of_label).collect();
        assert_eq!(confidences, case.confidences, "most suspect first");
        let mut places: Vec<usize> = found.iter().map(|suspect| suspect.image).collect();
        places.sort_unstable();
        assert_eq!(places, case.suspects);
        all += places.len();
    }
    assert!(all > 100, "{all} suspects say little");
}
