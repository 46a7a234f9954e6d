//! Suggestions of a learning rate, against fastai and Lightning (`parity/lr_finder.py`).
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../../parity/table.rs"]
mod table;

use serde::Deserialize;
use std::io::Read;
use wellfit_policy::lr_finder::{LrCurve, LrRange, steepest, valley};

#[derive(Deserialize)]
struct Fixture {
    curves: Vec<Curve>,
    valleys: Vec<Valley>,
}

#[derive(Deserialize)]
struct Curve {
    losses: Vec<f64>,
    last: f64,
    valley: f64,
    minimum: f64,
    steep: f64,
}

#[derive(Deserialize)]
struct Valley {
    losses: Vec<f64>,
    place: usize,
}

fn fixture() -> Fixture {
    let path = format!("{}/tests/fixtures/lr_finder.json.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The search over losses that the package did not end early either.
fn searched(losses: &[f64]) -> LrCurve {
    let mut curve = LrCurve::new(LrRange::default());
    losses.iter().for_each(|&loss| curve.take(loss));
    curve
}

#[test]
fn suggestions_are_those_of_the_packages() {
    let (mut compared, mut largest) = (0, 0.0_f64);
    for (number, case) in fixture().curves.iter().enumerate() {
        let curve = searched(&case.losses);
        assert_eq!(curve.points().len(), case.losses.len(), "curve {number}");
        // The packages keep numbers of 24 bits.
        let close = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-6;
        assert!(close(curve.points().last().unwrap().smoothed, case.last), "curve {number}");
        for (name, found, expected) in [
            ("valley", curve.valley(), case.valley),
            ("steep", curve.steep(), case.steep),
            ("minimum", curve.minimum(), case.minimum),
        ] {
            assert!(close(found.unwrap(), expected), "curve {number}: {name} {found:?}, not {expected}");
            compared += 1;
            largest = largest.max((found.unwrap() / expected - 1.0).abs());
        }
    }
    let cases = format!("{compared} suggestions for {} curves", fixture().curves.len());
    table::row("Suggested learning rates", &["fastai", "lightning"], &cases, "1e-6", largest);
}

#[test]
fn the_valley_is_at_the_place_of_fastais() {
    let valleys = fixture().valleys;
    for case in &valleys {
        // fastai suggests the first rate where nothing falls.
        let place = valley(&case.losses);
        assert_eq!(place.unwrap_or(0), case.place, "{:?}", case.losses);
    }
    assert!(valleys.len() > 40);
}

#[test]
fn losses_that_say_nothing_give_no_suggestion() {
    for losses in [vec![], vec![1.0], vec![1.0; 100], (0..100).map(|i| 1.0 + 0.01 * f64::from(i)).collect()] {
        let curve = searched(&losses);
        assert_eq!((curve.valley(), curve.steep()), (None, None), "{losses:?}");
    }
    assert_eq!(steepest(&[1.0, 2.0], &[1.0, 0.5]), Some(0));
    assert_eq!(steepest(&[1.0], &[1.0]), None);
}

#[test]
fn a_loss_that_explodes_or_is_no_number_ends_the_search() {
    let mut curve = searched(&[1.0; 30]);
    assert!(!curve.diverged() && curve.next_lr().is_some());
    curve.take(f64::NAN);
    assert!(curve.diverged() && curve.next_lr().is_none() && curve.points().len() == 30);
    let mut curve = searched(&[1.0; 30]);
    // Smoothed it grows more slowly than it does.
    curve.take(50.0);
    assert!(!curve.diverged(), "{:?}", curve.points().last());
    (0..3).for_each(|_| curve.take(50.0));
    assert!(curve.diverged() && curve.next_lr().is_none());
    let whole = searched(&[1.0; 100]);
    assert!(!whole.diverged() && whole.next_lr().is_none(), "all steps are done");
}

#[test]
fn the_rates_grow_from_the_first_to_before_the_last() {
    let range = LrRange::default();
    assert_eq!(range.lr(0), 1e-7);
    assert!((range.lr(50) / 1e-3 - 1.0).abs() < 1e-12 && range.lr(99) < 10.0);
    for (bad, part) in [
        (LrRange { start: 0.0, ..range }, "start_lr"),
        (LrRange { start: f64::NAN, ..range }, "start_lr"),
        (LrRange { end: 1e-8, ..range }, "end_lr"),
        (LrRange { steps: 19, ..range }, "steps"),
    ] {
        assert!(bad.validate().unwrap_err().to_string().contains(part));
    }
    assert!(range.validate().is_ok());
}
