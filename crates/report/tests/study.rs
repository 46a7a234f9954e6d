//! The page of a study.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use wellfit_report::{MOST_BYTES, STUDY, study_page};

fn trial(number: u32, state: &str, value: Option<f64>, lr: f64, optimizer: &str) -> Value {
    json!({
        "number": number, "state": state, "value": value,
        "settings": { "lr": lr, "optimizer": optimizer }, "epochs": [[1, 0.5], [2, value]],
    })
}

fn study(trials: &[Value]) -> Value {
    let values: Vec<Vec<f64>> =
        (0..2).map(|row| (0..32).map(|x| f64::from(x) * 0.02 + f64::from(row) * 0.1).collect()).collect();
    json!({
        "study": "photos-tune", "metric": "val_accuracy", "direction": "maximize",
        "parameters": [
            { "name": "lr", "importance": 0.75, "low": 1e-4, "high": 0.1, "log": true, "step": null },
            { "name": "optimizer", "importance": 0.25, "choices": ["adamw", "<b>sgd"] },
        ],
        "trials": trials,
        "surfaces": [{ "x": "lr", "y": "optimizer", "values": values }],
    })
}

fn page(study: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(STUDY), study.to_string()).unwrap();
    study_page(folder.path()).unwrap()
}

#[test]
fn a_page_shows_trials_and_what_the_result_depends_on() {
    let page = page(&study(&[
        trial(0, "complete", Some(0.8), 0.001, "adamw"),
        trial(1, "complete", Some(0.9), 0.002, "<b>sgd"),
        trial(2, "pruned", Some(0.4), 0.1, "adamw"),
        trial(3, "fail", None, 0.05, "adamw"),
    ]));
    for expected in [
        "Best: 90.0 % in trial 1",
        "trial 2: 40.0 %, ended early; lr 0.1, optimizer adamw",
        "<td class=\"number\">75.0 %</td>",
        "d=\"M0 2H75.0\"",
        "<dt>trials trained to the end</dt><dd>2</dd>",
        "<dt>ended early</dt><dd>1</dd>",
        "<dt>failed or stopped</dt><dd>1</dd>",
        // The axis of the rate has powers of ten.
        ">1e-4</text>",
        ">0.01</text>",
        "lr and optimizer",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("<b>sgd"), "names are data");
    // A point for each of three results in the history and both slices, and for two on the surface.
    assert_eq!(page.matches("<circle").count(), 3 * 3 + 2);
    assert!(page.contains("class=\"area a0\"") && page.contains("class=\"area a7\""));
    assert!(!page.contains("NaN") && page.len() < MOST_BYTES);
}

#[test]
fn a_study_without_a_result_has_a_page() {
    for trials in [vec![], vec![trial(0, "running", None, 0.01, "adamw")]] {
        let page = page(&study(&trials));
        assert!(page.contains("No trial has a result yet") && !page.contains("NaN"), "{page}");
    }
}

/// Loss is better the smaller.
#[test]
fn the_direction_says_which_is_best() {
    let mut found = study(&[
        trial(0, "complete", Some(0.8), 0.001, "adamw"),
        trial(1, "complete", Some(0.9), 0.002, "adamw"),
    ]);
    found["direction"] = json!("minimize");
    found["metric"] = json!("val_loss");
    let page = page(&found);
    assert!(page.contains("Best: 0.8000 in trial 0"), "{page}");
}

#[test]
fn a_large_study_fits_on_a_page() {
    let trials = (0..9000).map(|i| trial(i, "complete", Some(f64::from(i % 97) / 97.0), 1e-3, "adamw"));
    let page = page(&study(&trials.collect::<Vec<_>>()));
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    assert!(page.contains("The best 50 of 9,000 trials"));
}

#[test]
fn what_is_no_study_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = study_page(folder.path()).unwrap_err().to_string();
    assert!(error.contains("wellfit tune makes it"), "{error}");
    std::fs::write(folder.path().join(STUDY), "{}").unwrap();
    let error = study_page(folder.path()).unwrap_err().to_string();
    assert!(error.contains("study.json") && error.contains("study"), "{error}");
}
