//! Checkpoints whose checksums are right and whose contents are not: an error or a run that ends, never a panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::faulty::{Fault, Faulty};
use crate::material::{After, Story};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use wellfit_record::{LoadedCheckpoint, RunDir};
use wellfit_train::{TrainError, resume};
use wellfit_weights::{from_bytes, to_safetensors_bytes};

/// A run that was interrupted in its second epoch, and its newest checkpoint.
fn interrupted(story: &Story, root: &Path) -> LoadedCheckpoint {
    let path = root.join("run");
    let mut run = Story::new_run(Faulty::new(Fault::Once), &path);
    story.begin(&mut run, &mut After(10)).unwrap_err();
    drop(run);
    RunDir::open(&path).unwrap().newest_good(Some(wellfit_train::LAST)).unwrap().found.unwrap()
}

/// Whether a run goes on from that checkpoint.
fn goes_on(story: &Story, checkpoint: &LoadedCheckpoint) -> Result<(), TrainError> {
    let root = tempfile::tempdir().unwrap();
    let mut run = Story::new_run(Faulty::new(Fault::Once), &root.path().join("run"));
    let data = (&story.train, &story.validation);
    let began = Instant::now();
    let outcome = resume(story.network(), data, &story.config, Some(checkpoint), &mut run, &mut ());
    assert!(began.elapsed() < Duration::from_secs(10), "it takes for ever");
    outcome.map(drop)
}

/// The places of all numbers, texts and nulls in a document.
fn leaves(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| leaves(item, &format!("{place}/{i}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| leaves(member, &format!("{place}/{name}"), found));
        }
        _ => found.push(place.to_owned()),
    }
}

#[test]
fn no_number_of_a_position_is_believed_unseen() {
    let mut story = Story::new();
    story.config.schedule = None;
    let root = tempfile::tempdir().unwrap();
    let whole = interrupted(&story, root.path());
    goes_on(&story, &whole).unwrap();
    let position: Value = serde_json::from_slice(&whole.files["position.json"]).unwrap();
    let mut places = Vec::new();
    leaves(&position, "", &mut places);
    let hostile = [
        json!(-1),
        json!(0),
        json!(1_099_511_627_776_u64),
        json!(u64::MAX),
        json!(1e308),
        json!(-1e308),
        json!(null),
        json!("x".repeat(70_000)),
        json!([]),
    ];
    let (mut refused, mut cases) = (0, 0);
    for place in &places {
        for value in &hostile {
            let mut damaged = position.clone();
            *damaged.pointer_mut(place).unwrap() = value.clone();
            let mut checkpoint = whole.clone();
            checkpoint.files.insert("position.json".to_owned(), serde_json::to_vec(&damaged).unwrap());
            refused += u32::from(goes_on(&story, &checkpoint).is_err());
            cases += 1;
        }
    }
    println!("{cases} positions, {refused} refused");
    assert!(refused > cases / 2, "only {refused} of {cases} were refused");
}

#[test]
fn times_rates_and_counts_that_cannot_be_are_named() {
    let story = Story::new();
    let root = tempfile::tempdir().unwrap();
    let whole = interrupted(&story, root.path());
    for (place, value, words) in [
        ("/pass/seconds", json!(-1), "a time or a rate of -1"),
        ("/seconds", json!(1e300), "a time or a rate of 1000"),
        ("/pass/batches", json!(1_000_000), "1000000 of 5 batches are done"),
        ("/best", json!(7), "there is no best epoch 7"),
        ("/epochs/0/epoch", json!(3), "epoch 1 is said to be 3"),
        ("/epochs/0/step", json!(1_099_511_627_776_u64), "at step 1099511627776"),
    ] {
        let mut position: Value = serde_json::from_slice(&whole.files["position.json"]).unwrap();
        *position.pointer_mut(place).unwrap() = value;
        let mut checkpoint = whole.clone();
        checkpoint.files.insert("position.json".to_owned(), serde_json::to_vec(&position).unwrap());
        let error = goes_on(&story, &checkpoint).unwrap_err().to_string();
        assert!(error.contains("position.json") && error.contains(words), "{place}: {error}");
    }
}

#[test]
fn steps_of_an_optimiser_that_were_never_made_are_refused() {
    let story = Story::new();
    let root = tempfile::tempdir().unwrap();
    let whole = interrupted(&story, root.path());
    for step in ["1099511627776", "18446744073709551615", "0", "-1", "many"] {
        let mut file = from_bytes(&whole.files["optimizer.safetensors"]).unwrap();
        file.metadata.insert("step".to_owned(), step.to_owned());
        let mut checkpoint = whole.clone();
        checkpoint.files.insert("optimizer.safetensors".to_owned(), to_safetensors_bytes(&file).unwrap());
        let error = goes_on(&story, &checkpoint).unwrap_err().to_string();
        assert!(error.contains("optimizer.safetensors") && error.contains("steps"), "{step}: {error}");
    }
}
