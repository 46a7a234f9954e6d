//! Claiming a directory: one owner each, and nobody's files are wiped.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::{SMALL, at, epoch, fresh, info};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier};
use wellfit_record::{Disk, Event, RecordError, RunDir, RunInfo, RunWriter, list_runs};

fn numbered(root: &Path, hint: &str) -> RunWriter {
    let mut run = RunWriter::create_numbered(Arc::new(Disk), root, hint).unwrap();
    run.write_run_toml(&info(&run.name())).unwrap();
    run
}

#[test]
fn the_smallest_free_number_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().join("not/yet/there");
    assert_eq!(numbered(&root, "mlp").name(), "mlp-1");
    assert_eq!(numbered(&root, "mlp").name(), "mlp-2");
    fs::remove_dir_all(root.join("mlp-1")).unwrap();
    assert_eq!(numbered(&root, "mlp").name(), "mlp-1");
    assert_eq!(numbered(&root, "../a b/é").name(), "a-b---1");
    assert_eq!(numbered(&root, "").name(), "run-1");
}

#[test]
fn two_creators_never_share_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let runs: Vec<RunWriter> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..8).map(|_| numbered(root.path(), "mlp")).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let names: BTreeSet<String> = runs.iter().map(RunWriter::name).collect();
    assert_eq!(names, (1..=64).map(|n| format!("mlp-{n}")).collect());
}

#[test]
fn of_many_claims_on_one_directory_one_wins() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("out");
    let start = Barrier::new(8);
    let claim = || {
        start.wait();
        // The winner leaves at once, so others get the lock, but find the directory taken.
        RunWriter::create(Some(&dir), "", false).and_then(|mut run| run.write_run_toml(&info("out")))
    };
    let claims: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1, "{claims:?}");
}

#[test]
fn a_run_has_one_owner_until_it_ends() {
    let root = tempfile::tempdir().unwrap();
    let run = fresh(root.path());
    let reader = RunDir::open(root.path()).unwrap();
    assert!(reader.is_running());
    assert!(matches!(RunWriter::resume(root.path()), Err(RecordError::InUse(_))));
    assert!(matches!(RunWriter::create(Some(root.path()), "", true), Err(RecordError::InUse(_))));
    drop(run);
    assert!(!reader.is_running());
    RunWriter::resume(root.path()).unwrap();
}

#[test]
fn a_run_is_replaced_by_force_only() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    run.event(&Event::Epoch(epoch(1, 0.5))).unwrap();
    run.checkpoint("best", SMALL, at(1)).unwrap();
    fs::write(root.path().join("loss.png"), b"old").unwrap();
    drop(run);

    let refused = RunWriter::create(Some(root.path()), "", false).unwrap_err();
    assert!(matches!(refused, RecordError::NotEmpty(_)));
    assert!(refused.to_string().contains("`force`"), "{refused}");
    assert_eq!(
        RunDir::open(root.path()).unwrap().events().unwrap().rows.len(),
        2,
        "refusing changes nothing"
    );

    let mut run = RunWriter::create(Some(root.path()), "", true).unwrap();
    assert_eq!(RunDir::open(root.path()).unwrap().events().unwrap().rows.len(), 2, "it stands until then");
    run.write_run_toml(&info("new")).unwrap();
    let reader = RunDir::open(root.path()).unwrap();
    assert!(reader.events().unwrap().rows.is_empty() && reader.checkpoints().unwrap().is_empty());
    let left = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let expected = [".lock", "checkpoints", "events.jsonl", "run.toml", "steps.jsonl"];
    assert_eq!(left.collect::<BTreeSet<_>>(), expected.map(str::to_owned).into());
}

#[test]
fn a_foreign_directory_is_never_touched() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), b"years of work").unwrap();
    for force in [false, true] {
        let refused = RunWriter::create(Some(root.path()), "", force).unwrap_err();
        assert!(matches!(refused, RecordError::Foreign(_)), "{refused}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "not even a lock is left");
    }
    let file = root.path().join("thesis.tex");
    assert!(matches!(RunWriter::create(Some(&file), "", true), Err(RecordError::NotADirectory(_))));
}

#[test]
fn empty_and_missing_directories_are_taken() {
    let root = tempfile::tempdir().unwrap();
    drop(RunWriter::create(Some(root.path()), "", false).unwrap());
    RunWriter::create(Some(&root.path().join("a/b")), "", true).unwrap();
}

#[test]
fn what_is_no_run_says_so() {
    let root = tempfile::tempdir().unwrap();
    let told = RunDir::open(root.path()).unwrap_err().to_string();
    assert!(told.contains("is not a run: no run.toml"), "{told}");
    let told = RunDir::open(root.path().join("nowhere")).unwrap_err().to_string();
    assert!(told.contains("nowhere") && told.contains("check the path"), "{told}");
    assert!(RunWriter::resume(root.path()).is_err());
}

#[test]
fn run_toml_comes_back_and_is_written_once() {
    let root = tempfile::tempdir().unwrap();
    let mut run = RunWriter::create(Some(root.path()), "", false).unwrap();
    run.write_run_toml(&info("mlp-1")).unwrap();
    assert!(matches!(run.write_run_toml(&info("other")), Err(RecordError::AlreadyWritten(_))));
    let reader = RunDir::open(root.path()).unwrap();
    assert_eq!(reader.read_run_toml::<RunInfo>().unwrap(), info("mlp-1"));

    let path = root.path().join("run.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("format = 1", "format = 9")).unwrap();
    let newer = reader.read_run_toml::<RunInfo>().unwrap_err();
    assert!(matches!(newer, RecordError::Newer { found: 9, .. }), "{newer}");
    fs::write(&path, text.replace("parameters = ", "parameters = 'many' #")).unwrap();
    let told = reader.read_run_toml::<RunInfo>().unwrap_err().to_string();
    assert!(told.contains("run.toml is damaged") && told.contains("line"), "{told}");
}

/// As many classes, and as long names, as folders can have on Linux; and more than can be read back.
#[test]
fn what_is_written_can_be_read_and_what_could_not_is_not_written() {
    let root = tempfile::tempdir().unwrap();
    let long =
        |count: usize| (0..count).map(|n| format!("{n:06}{}", "\u{1}".repeat(249))).collect::<Vec<_>>();
    let mut many = info("many");
    many.classes = long(4500);
    let mut run = RunWriter::create(Some(&root.path().join("many")), "", false).unwrap();
    run.write_run_toml(&many).unwrap();
    let text = fs::metadata(root.path().join("many/run.toml")).unwrap().len();
    assert!(text > 4 << 20, "{text}: this tests too little");
    assert_eq!(RunDir::open(root.path().join("many")).unwrap().read_run_toml::<RunInfo>().unwrap(), many);
    run.event(&Event::Epoch(epoch(1, 0.5))).unwrap();

    many.classes = long(15_000);
    let mut run = RunWriter::create(Some(&root.path().join("more")), "", false).unwrap();
    let told = run.write_run_toml(&many).unwrap_err().to_string();
    assert!(told.contains("give shorter class names, or fewer"), "{told}");
    drop(run);
    assert!(!root.path().join("more").exists(), "nothing half-made");
}

/// Later runs come later, also when the clock is set back.
#[test]
fn runs_are_in_the_order_in_which_they_were_begun() {
    let root = tempfile::tempdir().unwrap();
    for (name, created) in [("c", "2026-01-01"), ("a", "2020-01-01"), ("b", "2023-01-01")] {
        let mut run = RunWriter::create(Some(&root.path().join(name)), "", false).unwrap();
        run.write_run_toml(&RunInfo { created: created.to_owned(), ..info(name) }).unwrap();
    }
    let names: Vec<_> = list_runs(root.path()).unwrap().into_iter().map(|run| run.name).collect();
    assert_eq!(names, ["c", "a", "b"]);
}

#[test]
fn a_file_of_a_run_is_replaced_as_a_whole_and_never_the_record_itself() {
    let root = tempfile::tempdir().unwrap();
    let run = fresh(root.path());
    for text in ["the first", "the second"] {
        run.write_file("summary v1.txt", text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("summary v1.txt")).unwrap(), text);
    }
    for bad in ["", ".", "..", "../a", "a/b", "/tmp/a", ".hidden", "run.toml", "events.jsonl", "checkpoints"]
    {
        assert!(matches!(run.write_file(bad, b"x"), Err(RecordError::BadName(_))), "{bad:?}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 6, "nothing else is left behind");
}
