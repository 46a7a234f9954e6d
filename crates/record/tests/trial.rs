//! The directory of a trial: its number, and states that are kept for treated runs.

use wellfit_record::{CheckpointInfo, RunWriter, TrialDir, read_checkpoint};

#[test]
fn later_trials_have_larger_numbers_whatever_the_clock_says() {
    let root = tempfile::tempdir().unwrap();
    let made = |name: &str| TrialDir::create(Some(&root.path().join(name)), "t", "plan").unwrap();
    let numbers = ["b", "a", "c"].map(|name| made(name).number());
    assert_eq!(numbers, [1, 2, 3]);
    let found = TrialDir::find(&root.path().join("c")).unwrap();
    assert_eq!((found.number(), found.plan().unwrap()), (3, "plan".to_owned()));
    std::fs::remove_file(root.path().join("a/trial.number")).unwrap();
    assert_eq!(TrialDir::find(&root.path().join("a")).unwrap().number(), 0, "of a version without them");
    assert_eq!(made("d").number(), 4);
}

#[test]
fn a_kept_state_outlives_its_run_and_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let trial = TrialDir::create(Some(&root.path().join("t")), "t", "plan").unwrap();
    let _pair = trial.claim(5).unwrap().unwrap();
    let place = trial.run(5, "baseline");
    let mut run = RunWriter::create(Some(&place), "baseline", false).unwrap();
    run.write_run_toml(&std::collections::BTreeMap::from([("seed", 5)])).unwrap();
    let info = CheckpointInfo { epoch: 3, step: 30, ..CheckpointInfo::default() };
    let saved = run.checkpoint("last", &[("model.bin", b"weights")], info).unwrap();
    trial.keep(5, &saved).unwrap();
    trial.keep(5, &saved).unwrap();
    drop(run);
    std::fs::remove_dir_all(&place).unwrap();
    let kept = trial.kept(5);
    assert_eq!(kept.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [3]);
    let loaded = read_checkpoint(&kept[0].1).unwrap();
    assert_eq!((&loaded.files["model.bin"][..], loaded.checkpoint.manifest.info.step), (&b"weights"[..], 30));
    // What a process left that ended while it copied.
    std::fs::create_dir(place.with_file_name(".wellfit-00.tmp")).unwrap();
    trial.forget(5);
    assert!(trial.kept(5).is_empty());
    assert!(trial.keep(5, &saved).is_err(), "the checkpoint is gone");
    assert!(trial.kept(5).is_empty());
}

#[test]
fn what_a_process_left_that_ended_while_it_wrote_goes_with_the_next_file() {
    let root = tempfile::tempdir().unwrap();
    let trial = TrialDir::create(Some(&root.path().join("t")), "t", "plan").unwrap();
    let left = trial.path().join(wellfit_base::id::temporary_name().unwrap());
    std::fs::write(&left, "half").unwrap();
    trial.write_file("picture.png", b"whole").unwrap();
    assert!(!left.exists());
    assert_eq!(std::fs::read(trial.path().join("picture.png")).unwrap(), b"whole");
}
