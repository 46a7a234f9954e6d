//! Checkpoints whose checksums are right and whose files are damaged: an answer each time, within bounded memory and time
//! (see `wellfit_fuzz`). A run that goes on from one is interrupted after two batches.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../record/tests/faulty/mod.rs"]
mod faulty;
mod material;

use faulty::{Fault, Faulty};
use material::{After, Story};
use std::fs;
use wellfit_fuzz::{Target, as_it_is, fuzz_with, scratch};
use wellfit_record::RunDir;
use wellfit_train::{TrainError, resume};

const NUMBERS: [&[u8]; 14] = [
    b"-1",
    b"0",
    b"1e308",
    b"1e-308",
    b"null",
    b"\"NaN\"",
    b"\"inf\"",
    b"4294967295",
    b"1099511627776",
    b"18446744073709551615",
    b"[]",
    b"{}",
    b"\"best\":0",
    b"\"epochs\":[]",
];

/// Damage one file of the newest checkpoint of a story.
fn damaged(name: &str, story: &Story, file: &str, inputs: u32) {
    let dir = scratch(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("run");
    let mut run = Story::new_run(Faulty::new(Fault::Once), &path);
    story.begin(&mut run, &mut After(5)).unwrap_err();
    drop(run);
    let whole = RunDir::open(&path).unwrap().newest_good(Some(wellfit_train::LAST)).unwrap().found.unwrap();
    let seeds = [whole.files[file].clone()];
    let target = Target { name, seeds: &seeds, tokens: &NUMBERS, repair: as_it_is };
    fuzz_with(&target, inputs, |bytes| {
        let mut checkpoint = whole.clone();
        checkpoint.files.insert(file.to_owned(), bytes.to_vec());
        let again = dir.join("again");
        let _ = fs::remove_dir_all(&again);
        let mut run = Story::new_run(Faulty::new(Fault::Once), &again);
        let data = (&story.train, &story.validation);
        let outcome =
            resume(story.network(), data, &story.config, Some(&checkpoint), &mut run, &mut After(2));
        match outcome {
            Err(TrainError::Interrupted { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    });
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn positions() {
    damaged("position", &Story::short(4), "position.json", 1000);
}

#[test]
fn optimiser_states() {
    damaged("optimizer", &Story::short(4), "optimizer.safetensors", 500);
}

#[test]
fn weights() {
    damaged("checkpoint-model", &Story::short(4), "model.safetensors", 500);
}
