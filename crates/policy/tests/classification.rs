//! Figures of classifiers' answers, against scikit-learn, torchmetrics and scipy (`parity/classification.py`).
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../../parity/table.rs"]
mod table;

use proptest::prelude::*;
use serde::Deserialize;
use std::io::Read;
use wellfit_policy::classification::{
    Confusion, auc, auc_one_vs_rest, bootstrap_macro_f1, calibration, in_top, wilson,
};

#[derive(Deserialize)]
struct Case {
    classes: usize,
    labels: Vec<u32>,
    eighths: Vec<i32>,
    confusion: Vec<u64>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    accuracy: f64,
    macro_f1: f64,
    weighted_f1: f64,
    balanced_accuracy: f64,
    auc: f64,
    clear: Vec<usize>,
    top: Option<f64>,
    ece: f64,
    temperature: Option<f64>,
    wilson: [f64; 2],
    macro_f1_interval: [f64; 2],
}

fn cases() -> Vec<Case> {
    let path = format!("{}/tests/fixtures/classification.json.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The place of the first of the largest.
fn argmax(row: &[f32]) -> u32 {
    (0..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best }) as u32
}

impl Case {
    fn logits(&self) -> Vec<f32> {
        self.eighths.iter().map(|&eighth| eighth as f32 / 8.0).collect()
    }

    fn pairs(&self) -> Vec<(u32, u32)> {
        let logits = self.logits();
        self.labels.iter().copied().zip(logits.chunks(self.classes).map(argmax)).collect()
    }
}

#[test]
fn counts_and_scores_are_scikit_learns() {
    let (cases, mut largest) = (cases(), 0.0_f64);
    for case in &cases {
        let found = Confusion::of(case.classes, case.pairs());
        let all = 0..case.classes as u32;
        let counts: Vec<u64> = all
            .clone()
            .flat_map(|class| all.clone().map(move |to| (class, to)))
            .map(|(a, b)| found.count(a, b))
            .collect();
        assert_eq!(counts, case.confusion);
        let scores = found.scores();
        for (place, class) in scores.iter().enumerate() {
            assert_eq!(class.support, case.support[place]);
            for (here, there) in [
                (class.precision, case.precision[place]),
                (class.recall, case.recall[place]),
                (class.f1, case.f1[place]),
            ] {
                largest = largest.max((here - there).abs());
            }
        }
        for (here, there) in [
            (found.accuracy(), case.accuracy),
            (found.macro_f1(), case.macro_f1),
            (found.weighted_f1(), case.weighted_f1),
            (found.balanced_accuracy(), case.balanced_accuracy),
            (auc_one_vs_rest(&case.logits(), &case.labels, case.classes), case.auc),
        ] {
            largest = largest.max((here - there).abs());
        }
        if let Some(top) = case.top {
            let logits = case.logits();
            let k = 5.min(case.classes - 1);
            let hit = |&&place: &&usize| {
                in_top(&logits[place * case.classes..][..case.classes], case.labels[place], k)
            };
            let share = case.clear.iter().filter(hit).count() as f64 / case.clear.len() as f64;
            largest = largest.max((share - top).abs());
        }
    }
    assert!(largest < 1e-12, "{largest}: sums of a few hundred quotients in f64, in another order");
    let what = format!("{} sets of answers, scores of each class and their means, AUC, top-5", cases.len());
    table::row("Scores of classes", &["scikit-learn"], &what, "1e-12", largest);
}

#[test]
fn calibration_is_torchmetrics_and_the_temperature_scipys() {
    let (cases, mut largest) = (cases(), 0.0_f64);
    for case in &cases {
        let found = calibration(&case.logits(), &case.labels, case.classes);
        largest = largest.max((found.ece - case.ece).abs());
        assert_eq!(found.temperature.is_some(), case.temperature.is_some(), "{:?}", found.temperature);
        if let (Some(here), Some(there)) = (found.temperature, case.temperature) {
            // A bounded search without slopes finds a flat minimum to about the square root of f64's precision.
            assert!((here / there - 1.0).abs() < 1e-6, "{here} {there}");
        }
    }
    assert!(largest < 1e-6, "{largest}: torchmetrics sums in f32");
    let what = format!("{} sets of answers, 15 bins", cases.len());
    table::row("Expected calibration error", &["torchmetrics"], &what, "1e-6", largest);
}

#[test]
fn intervals_are_scipys() {
    for case in cases() {
        let pairs = case.pairs();
        let right = pairs.iter().filter(|(class, predicted)| class == predicted).count() as u64;
        let found = wilson(right, pairs.len() as u64);
        assert!((found.low - case.wilson[0]).abs() < 1e-9 && (found.high - case.wilson[1]).abs() < 1e-9);
        let found = bootstrap_macro_f1(&pairs, case.classes, 0);
        assert_eq!(found, bootstrap_macro_f1(&pairs, case.classes, 0), "the same numbers each time");
        // Both are of random resamples: ends differ by a few percent of the width.
        let width = case.macro_f1_interval[1] - case.macro_f1_interval[0];
        for (here, there) in [found.low, found.high].into_iter().zip(case.macro_f1_interval) {
            assert!((here - there).abs() <= 0.1 * width, "{found:?} {:?}", case.macro_f1_interval);
        }
    }
}

#[test]
fn what_cannot_be_said_is_nan_or_none() {
    let nothing = Confusion::new(3);
    for value in [nothing.accuracy(), nothing.macro_f1(), nothing.weighted_f1(), nothing.balanced_accuracy()]
    {
        assert!(value.is_nan());
    }
    assert!(wilson(0, 0).low.is_nan() && bootstrap_macro_f1(&[], 3, 0).low.is_nan());
    assert_eq!(auc([(0.5, true), (0.7, true)]), None);
    assert_eq!(auc([(0.5, true), (f64::NAN, false)]), None);
    assert!(auc_one_vs_rest(&[], &[], 3).is_nan());
    assert!(calibration(&[], &[], 3).ece.is_nan());
    // All right: the more certain the better. All wrong: the less certain the better.
    let certain = [3.0, 0.0, 0.0, 3.0];
    assert_eq!(calibration(&certain, &[0, 1], 2).temperature, None);
    assert_eq!(calibration(&certain, &[1, 0], 2).temperature, None);
    assert!(!in_top(&[f32::NAN, 1.0], 0, 2));
}

proptest! {
    #[test]
    fn scores_keep_their_bounds(pairs in prop::collection::vec((0_u32..6, 0_u32..6), 1..200)) {
        let found = Confusion::of(6, pairs.iter().copied());
        let (right, samples) = (found.right(), found.samples());
        prop_assert_eq!(samples, pairs.len() as u64);
        let interval = wilson(right, samples);
        prop_assert!(0.0 <= interval.low && interval.low <= found.accuracy());
        prop_assert!(found.accuracy() <= interval.high && interval.high <= 1.0);
        let wrong: u64 = found.confused().iter().map(|(_, _, count)| count).sum();
        prop_assert_eq!(wrong + right, samples);
        for value in [found.macro_f1(), found.weighted_f1(), found.balanced_accuracy()] {
            prop_assert!((0.0..=1.0).contains(&value));
        }
        // Which class is which does not matter.
        let turned = Confusion::of(6, pairs.iter().map(|(class, predicted)| (5 - class, 5 - predicted)));
        prop_assert!((turned.macro_f1() - found.macro_f1()).abs() < 1e-12);
        // Classes that do not occur change nothing.
        let more = Confusion::of(60, pairs.iter().copied());
        prop_assert_eq!(more.macro_f1(), found.macro_f1());
    }

    #[test]
    fn the_order_decides_the_area(scores in prop::collection::vec((-50_i32..50, any::<bool>()), 2..100)) {
        let of = |f: &dyn Fn(f64) -> f64| auc(scores.iter().map(|&(score, positive)| (f(f64::from(score)), positive)));
        let area = of(&|score| score);
        prop_assert_eq!(of(&|score| (score / 20.0).exp()), area);
        let turned = of(&|score| -score);
        if let (Some(area), Some(turned)) = (area, turned) {
            prop_assert!((area + turned - 1.0).abs() < 1e-12);
        }
        let both = scores.iter().any(|(_, positive)| *positive) && scores.iter().any(|(_, positive)| !positive);
        prop_assert_eq!(area.is_some(), both);
    }

    #[test]
    fn the_temperature_follows_the_scale(
        logits in prop::collection::vec(-4.0_f32..4.0, 120),
        labels in prop::collection::vec(0_u32..3, 40),
    ) {
        let doubled: Vec<f32> = logits.iter().map(|x| 2.0 * x).collect();
        let [one, two] = [&logits, &doubled].map(|logits| calibration(logits, &labels, 3));
        if let (Some(one), Some(two)) = (one.temperature, two.temperature) {
            prop_assert!((two / one - 2.0).abs() < 1e-6, "{one} {two}");
        }
        prop_assert!((0.0..=1.0).contains(&one.ece));
        prop_assert_eq!(one.bins.iter().map(|bin| bin.samples).sum::<usize>(), 40);
    }
}
