//! Failing disks and damaged checkpoints: the run continues from what is whole, and ends with the same bits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::faulty::{Fault, Faulty};
use crate::material::{Ending, Story, cases};
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_record::{RunDir, RunWriter, read_checkpoint};
use wellfit_rng::{Rng, Stream};

fn whole(story: &Story) -> Ending {
    let root = tempfile::tempdir().unwrap();
    let mut run = Story::new_run(Faulty::new(Fault::Once), &root.path().join("run"));
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    Ending::of(&outcome, run)
}

/// Go on to the end on a good disk.
fn mended(story: &Story, path: &Path) -> (Ending, usize) {
    let mut run = RunWriter::resume_with(Faulty::new(Fault::Once), path).unwrap();
    let (outcome, skipped) = story.resume(&mut run, &mut ());
    (Ending::of(&outcome.unwrap(), run), skipped)
}

/// ENOSPC, EIO or half a write at every operation of a run (at every 29th in the short version).
#[test]
fn a_disk_that_fails_at_any_moment_costs_nothing_but_time() {
    costs_nothing_but_time(&Story::short(2));
}

#[test]
fn nor_does_it_with_frozen_weights() {
    costs_nothing_but_time(&Story::short(2).frozen());
}

fn costs_nothing_but_time(story: &Story) {
    let whole = whole(story);
    for fault in [Fault::Once, Fault::ForGood, Fault::Late] {
        let mut told = 0;
        for n in (1..).step_by(cases(29, 1)) {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("run");
            let disk = Faulty::new(fault);
            let mut run = Story::new_run(disk.clone(), &path);
            disk.arm(n);
            let outcome = story.begin(&mut run, &mut ());
            let struck = disk.struck(n);
            drop(run);
            if let Err(error) = &outcome {
                assert!(struck, "operation {n}: {error}");
                assert!(error.to_string().contains("run"), "operation {n}: no path in {error}");
                told += 1;
            }
            let (ending, skipped) = mended(story, &path);
            assert!(ending == whole, "{fault:?} at operation {n}: {ending:?} instead of {whole:?}");
            assert_eq!(skipped, 0, "operation {n}: what was committed is whole");
            if !struck {
                println!("{fault:?}: {n} operations, {told} ended the run with the cause");
                assert!(n > 300, "only {n} operations, so the test tests too little");
                break;
            }
        }
        assert!(told > 10, "{fault:?} ended the run only {told} times");
    }
}

/// A finished run, and the files of its newest checkpoint.
fn finished(story: &Story, root: &Path) -> (PathBuf, Vec<PathBuf>) {
    let path = root.join("run");
    let mut run = Story::new_run(Faulty::new(Fault::Once), &path);
    story.begin(&mut run, &mut ()).unwrap();
    let newest = RunDir::open(&path).unwrap().newest_good(Some("last")).unwrap().found.unwrap();
    let files = fs::read_dir(&newest.checkpoint.path).unwrap().map(|entry| entry.unwrap().path());
    (path, files.collect())
}

/// Write `damaged` over a file of the newest checkpoint: it must be found out, named, and the one before it
/// be taken. Now and then the run is resumed for real.
fn damage(run: &Path, file: &Path, damaged: &[u8]) {
    let sound = fs::read(file).unwrap();
    fs::write(file, damaged).unwrap();
    let newest = RunDir::open(run).unwrap().newest_good(Some("last")).unwrap();
    let found = newest.found.unwrap().checkpoint;
    assert_ne!(found.path, file.parent().unwrap(), "{} is damaged and was taken", file.display());
    let told = newest.skipped[0].to_string();
    assert!(newest.skipped.len() == 1 && told.contains(file.parent().unwrap().to_str().unwrap()), "{told}");
    fs::write(file, sound).unwrap();
}

#[test]
fn every_truncation_and_flipped_bit_of_a_checkpoint_is_found_out() {
    is_found_out(&Story::short(2));
    is_found_out(&Story::short(2).frozen());
}

fn is_found_out(story: &Story) {
    let root = tempfile::tempdir().unwrap();
    let (run, files) = finished(story, root.path());
    let mut lengths = 0;
    for file in &files {
        let bytes = fs::read(file).unwrap();
        for length in (0..bytes.len()).step_by(cases(61, 1)) {
            damage(&run, file, &bytes[..length]);
            lengths += 1;
        }
    }
    let mut rng = Rng::new(0, Stream::Noise, 0, 0);
    let flips = cases(300, 100_000);
    for _ in 0..flips {
        let file = &files[rng.below(files.len() as u32) as usize];
        let mut bytes = fs::read(file).unwrap();
        let bit = rng.below(8 * bytes.len() as u32) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        damage(&run, file, &bytes);
    }
    println!("{lengths} truncations and {flips} flipped bits in {} files, all found out", files.len());
}

#[test]
fn a_run_with_a_damaged_checkpoint_goes_on_from_the_one_before() {
    goes_on_from_the_one_before(&Story::short(3));
    goes_on_from_the_one_before(&Story::short(3).frozen());
}

fn goes_on_from_the_one_before(story: &Story) {
    let whole = whole(story);
    let mut rng = Rng::new(1, Stream::Noise, 0, 0);
    for case in 0..cases(20, 500) {
        let root = tempfile::tempdir().unwrap();
        let (run, files) = finished(story, root.path());
        let file = &files[case % files.len()];
        let mut bytes = fs::read(file).unwrap();
        let place = rng.below(bytes.len() as u32) as usize;
        if case % 2 == 0 {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 0x10;
        }
        fs::write(file, bytes).unwrap();
        let (ending, skipped) = mended(story, &run);
        assert_eq!(skipped, 1);
        assert!(ending == whole, "{} damaged at {place}", file.display());
        // The damaged one is gone, so it cannot outlive the good ones.
        for path in RunDir::open(&run).unwrap().checkpoints().unwrap() {
            read_checkpoint(&path).unwrap();
        }
    }
}

#[test]
fn with_no_good_checkpoint_left_it_starts_at_the_beginning() {
    let story = Story::short(2);
    let whole = whole(&story);
    let root = tempfile::tempdir().unwrap();
    let (run, _) = finished(&story, root.path());
    for checkpoint in RunDir::open(&run).unwrap().checkpoints().unwrap() {
        fs::write(checkpoint.join("position.json"), "").unwrap();
    }
    let (ending, skipped) = mended(&story, &run);
    assert_eq!(ending, whole);
    assert_eq!(skipped, 2, "the newest and the one kept beside it");
}
