//! A checkpoint is either as it was written or refused by name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::{SMALL, at, fresh};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_record::{Event, RecordError, RunDir, RunWriter, read_checkpoint};

fn names(root: &Path) -> Vec<String> {
    let paths = RunDir::open(root).unwrap().checkpoints().unwrap();
    paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// A run with one small checkpoint, and that checkpoint's files.
fn one(root: &Path) -> (PathBuf, Vec<PathBuf>) {
    let path = fresh(root).checkpoint("best", SMALL, at(1)).unwrap().path;
    let files: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), SMALL.len() + 2);
    (path, files)
}

#[test]
fn a_checkpoint_comes_back_and_leaves_its_event() {
    let root = tempfile::tempdir().unwrap();
    let written = fresh(root.path()).checkpoint("best", SMALL, at(3)).unwrap();
    let loaded = read_checkpoint(&written.path).unwrap();
    assert_eq!(format!("{:?}", loaded.checkpoint), format!("{written:?}"));
    assert_eq!(loaded.files.len(), SMALL.len());
    SMALL.iter().for_each(|(name, bytes)| assert_eq!(loaded.files[*name], *bytes));
    assert_eq!((loaded.checkpoint.manifest.info.epoch, loaded.checkpoint.manifest.info.step), (3, 30));
    assert!(loaded.checkpoint.manifest.info.metrics["val_loss"].is_nan());
    let told = Event::Checkpoint { name: "best".to_owned(), epoch: 3, step: 30, sha256: written.sha256 };
    assert_eq!(RunDir::open(root.path()).unwrap().events().unwrap().rows, [told]);
}

#[test]
fn a_name_keeps_only_its_newest_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for (epoch, name) in [(1, "best"), (1, "last"), (2, "last"), (2, "epoch-0002"), (3, "last"), (1, "best")]
    {
        run.checkpoint(name, SMALL, at(epoch)).unwrap();
    }
    assert_eq!(names(root.path()), ["0004-epoch-0002", "0005-last", "0006-best"]);
    let hidden = fs::read_dir(root.path().join("checkpoints")).unwrap().count();
    assert_eq!(hidden, 3, "nothing else is left behind");
}

#[test]
fn names_stay_in_their_directory() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for bad in ["", "..", "../best", "a/b", ".hidden", "a\\b", "é"] {
        assert!(matches!(run.checkpoint(bad, SMALL, at(1)), Err(RecordError::BadName(_))), "{bad:?}");
        assert!(
            matches!(run.checkpoint("best", &[(bad, b"x")], at(1)), Err(RecordError::BadName(_))),
            "{bad:?}"
        );
    }
    assert!(names(root.path()).is_empty());
}

/// Files must not stand in for each other or for the manifest.
#[test]
fn file_names_are_distinct() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for twice in
        [&[("a", &b"1"[..]), ("a", b"2")][..], &[("manifest.json", b"{}")], &[("manifest.sha256", b"")]]
    {
        assert!(matches!(run.checkpoint("best", twice, at(1)), Err(RecordError::BadName(_))));
    }
}

#[test]
fn every_truncation_and_every_longer_file_is_detected() {
    let root = tempfile::tempdir().unwrap();
    let (path, files) = one(root.path());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for length in (0..bytes.len()).chain([bytes.len() + 1]) {
            let mut changed = bytes.clone();
            changed.resize(length, 0);
            fs::write(&file, &changed).unwrap();
            let error = read_checkpoint(&path).unwrap_err();
            assert!(matches!(error, RecordError::Damaged { .. }), "{} at {length}: {error}", file.display());
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(read_checkpoint(&path), Err(RecordError::Io { .. })), "{} missing", file.display());
        fs::write(&file, &bytes).unwrap();
        read_checkpoint(&path).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_flipped_bit_is_detected(which in 0..4_usize, places in proptest::collection::vec(0.0..1.0_f64, 16)) {
        let root = tempfile::tempdir().unwrap();
        let (path, files) = one(root.path());
        let bytes = fs::read(&files[which]).unwrap();
        for place in places {
            let bit = (place * bytes.len() as f64 * 8.0) as usize;
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&files[which], &flipped).unwrap();
            let error = read_checkpoint(&path).unwrap_err();
            prop_assert!(matches!(error, RecordError::Damaged { .. }), "bit {}: {}", bit, error);
        }
    }
}

#[test]
fn the_newest_good_checkpoint_is_found_and_the_damaged_are_named() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for (epoch, name) in [(1, "best"), (2, "epoch-2"), (3, "last")] {
        run.checkpoint(name, SMALL, at(epoch)).unwrap();
    }
    let reader = RunDir::open(root.path()).unwrap();
    let newest = |name| reader.newest_good(name).unwrap();
    let epoch = |name| newest(name).found.map(|found| found.checkpoint.manifest.info.epoch);
    assert_eq!((epoch(None), epoch(Some("best")), epoch(Some("none"))), (Some(3), Some(1), None));

    fs::write(root.path().join("checkpoints/0003-last/state.bin"), [0, 255, 8]).unwrap();
    let answer = newest(None);
    assert_eq!(answer.found.unwrap().checkpoint.manifest.info.epoch, 2);
    let told = answer.skipped[0].to_string();
    assert!(answer.skipped.len() == 1 && told.contains("0003-last") && told.contains("state.bin"), "{told}");
    assert_eq!(epoch(Some("last")), None);
}

#[test]
fn a_manifest_that_lies_about_size_or_version_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let (path, _) = one(root.path());
    let manifest = fs::read_to_string(path.join("manifest.json")).unwrap();
    let with = |from: &str, to: &str| {
        let changed = manifest.replace(from, to);
        assert_ne!(changed, manifest);
        fs::write(path.join("manifest.json"), &changed).unwrap();
        fs::write(path.join("manifest.sha256"), format!("{}  manifest.json\n", sha256(&changed))).unwrap();
        read_checkpoint(&path).unwrap_err()
    };
    let huge = with(r#""length": 11"#, r#""length": 18446744073709551615"#);
    assert!(huge.to_string().contains("11 bytes instead of 18446744073709551615"), "{huge}");
    let newer = with(r#""format": 1"#, r#""format": 2"#);
    assert!(matches!(newer, RecordError::Newer { found: 2, supported: 1, .. }), "{newer}");
    let outside = with(r#""name": "state.bin""#, r#""name": "../../run.toml""#);
    assert!(matches!(outside, RecordError::BadName(_)), "{outside}");
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    format!("{:x}", sha2::Sha256::digest(text))
}

#[test]
fn leftovers_are_invisible_and_go_with_the_next_owner() {
    let root = tempfile::tempdir().unwrap();
    let (path, _) = one(root.path());
    let leftover = root.path().join("checkpoints/.tmp-0002-best");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join("model.safetensors"), b"half").unwrap();
    assert_eq!(names(root.path()), ["0001-best"]);
    let _run = RunWriter::resume(root.path()).unwrap();
    assert!(!leftover.exists() && path.exists());
}
