//! Events and steps: what is written is read, whatever a crash or a bad disk did to the rest.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::{epoch, fresh, stop, warning};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use wellfit_record::{
    CheckpointInfo, Event, Metric, Request, RunDir, RunWriter, StepRecord, StopReason, best_epoch, epochs,
};

/// NaN is not equal to itself, so rows are compared by their text, which has all digits.
fn text<T: std::fmt::Debug>(rows: &[T]) -> String {
    format!("{rows:?}")
}

fn events(dir: &Path) -> wellfit_record::Log<Event> {
    RunDir::open(dir).unwrap().events().unwrap()
}

fn story() -> Vec<Event> {
    let start = Event::Start {
        versions: [("wellfit".to_owned(), "0.1.0".to_owned())].into(),
        host: "linux x86_64".to_owned(),
        threads: 2,
        time: "2025-07-01T12:30:00Z".to_owned(),
    };
    let why = || "no improvement\nfor 5 epochs".to_owned();
    vec![
        start,
        Event::Epoch(epoch(1, 0.7)),
        Event::Epoch(epoch(2, f64::NAN)),
        Event::EarlyStoppingCounter { epoch: 2, counter: 1, patience: 5 },
        Event::LrChange { epoch: 2, from: 1e-3, to: 5e-4, reason: why() },
        Event::Checkpoint { name: "best".to_owned(), epoch: 2, step: 20, sha256: "ab".to_owned() },
        Event::Interrupted { epoch: 2, step: 25, reason: why(), time: String::new() },
        Event::Resumed {
            epoch: 2,
            step: 20,
            checkpoint: "0002-last".to_owned(),
            threads: 4,
            time: String::new(),
        },
        Event::Requested {
            request: Request::LowerRate { factor: 0.1 },
            epoch: 3,
            step: 21,
            time: String::new(),
        },
        warning("Ωmega: \u{7}\"quoted\""),
        stop(StopReason::EarlyStopping, 2),
    ]
}

#[test]
fn every_event_comes_back_with_all_its_bits() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for event in &story() {
        run.event(event).unwrap();
    }
    let log = events(root.path());
    assert_eq!(text(&log.rows), text(&story()));
    assert!(log.problems.is_empty() && !log.torn);
}

#[test]
fn events_are_seen_at_once_and_steps_with_their_epoch() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    let reader = RunDir::open(root.path()).unwrap();
    run.event(&warning("careful")).unwrap();
    assert_eq!(reader.events().unwrap().rows.len(), 1);
    run.step(&StepRecord::of_one(1, 1, 0.01, f64::NAN)).unwrap();
    run.event(&Event::Epoch(epoch(1, 0.5))).unwrap();
    assert_eq!(reader.steps().unwrap().rows.len(), 1);
    run.step(&StepRecord::of_one(1, 2, 0.01, 0.5)).unwrap();
    drop(run);
    assert_eq!(reader.steps().unwrap().rows.len(), 2, "a dropped run leaves its last steps");
}

#[test]
fn steps_hold_the_losses_of_one_model_or_of_twins() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    let losses = [("normal".to_owned(), f64::NAN), ("batch_norm".to_owned(), 0.1 + 0.2)].into();
    let rows = vec![StepRecord { epoch: 1, step: 1, lr: 0.01, losses }, StepRecord::of_one(1, 2, 0.01, 2.5)];
    rows.iter().for_each(|row| run.step(row).unwrap());
    drop(run);
    assert_eq!(text(&RunDir::open(root.path()).unwrap().steps().unwrap().rows), text(&rows));
}

#[test]
fn what_a_resumed_run_tells_again_counts_once() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for (number, loss) in [(1, 0.9), (2, 0.8), (3, 0.1), (2, 0.7), (3, f64::NAN)] {
        run.step(&StepRecord::of_one(number, u64::from(number) * 10, 0.01, loss)).unwrap();
        run.event(&Event::Epoch(epoch(number, loss))).unwrap();
    }
    let reader = RunDir::open(root.path()).unwrap();
    let told = epochs(&reader.events().unwrap().rows);
    assert_eq!(told.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        (told[1].val_loss(), best_epoch(&told, Metric::VAL_LOSS).unwrap().epoch),
        (0.7, 2),
        "NaN and the untold are not best"
    );
    assert_eq!(reader.steps().unwrap().rows.len(), 3);
    assert_eq!(best_epoch(&[epoch(1, f64::NAN), epoch(2, -f64::NAN)], Metric::VAL_LOSS), None);
}

/// What happened later goes when a run goes back, readable or not; damage before it stays for whoever looks at it.
#[test]
fn a_damaged_line_goes_with_those_around_it() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("steps.jsonl");
    let mut run = fresh(root.path());
    let row = |step: u64| StepRecord::of_one(1, step, 0.01, 0.5);
    (1..=5).for_each(|step| run.step(&row(step)).unwrap());
    drop(run);
    let text = fs::read_to_string(&path).unwrap();
    let damaged = text.replace("\"step\":2,", "\"step\":x,").replace("\"step\":4,", "\"step\":y,");
    let kept_until = |step: u64| {
        fs::write(&path, &damaged).unwrap();
        let mut run = RunWriter::resume(root.path()).unwrap();
        let checkpoint = run.checkpoint("last", &[], CheckpointInfo { step, ..Default::default() }).unwrap();
        run.go_back_to((step > 0).then_some(&checkpoint), "last", 0).unwrap();
        drop(run);
        fs::read_to_string(&path).unwrap().lines().count()
    };
    assert_eq!([0, 1, 3, 5].map(kept_until), [0, 1, 3, 5]);
}

#[test]
fn damaged_and_unknown_lines_do_not_hide_the_others() {
    let root = tempfile::tempdir().unwrap();
    drop(fresh(root.path()));
    let lines: &[&[u8]] = &[
        br#"{"event":"warning","message":"one"}"#,
        br#"{"event":"warning","message":"#,
        br#"{"event":"epoch","epoch":3}"#,
        b"\xff\xfe\0\0",
        b"",
        br#"{"event":"teleported","planet":{"name":"Mars"}}"#,
        br#"{"event":"warning","message":"two","colour":"red"}"#,
        b"",
    ];
    fs::write(root.path().join("events.jsonl"), lines.join(&b"\n"[..])).unwrap();
    let log = events(root.path());
    assert_eq!(log.rows, [warning("one"), Event::Unknown, warning("two")]);
    assert_eq!(log.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let told = log.problems[1].to_string();
    assert!(told.contains("events.jsonl, line 3") && told.contains("missing field"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut the file anywhere: exactly the lines with their newline remain, and writing goes on cleanly.
    #[test]
    fn a_file_cut_anywhere_is_read_and_continued(cut in 0.0..=1.0_f64) {
        let root = tempfile::tempdir().unwrap();
        let (path, mut run) = (root.path().join("events.jsonl"), fresh(root.path()));
        story().iter().for_each(|event| run.event(event).unwrap());
        drop(run);
        let bytes = fs::read(&path).unwrap();
        let bytes = &bytes[..(cut * bytes.len() as f64) as usize];
        fs::write(&path, bytes).unwrap();

        // The first line says which run it is.
        let whole = bytes.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1);
        let mut expected = story()[..whole].to_vec();
        let log = events(root.path());
        prop_assert_eq!(text(&log.rows), text(&expected));
        prop_assert_eq!(log.torn, !(bytes.is_empty() || bytes.ends_with(b"\n")));

        RunWriter::resume(root.path()).unwrap().event(&warning("on we go")).unwrap();
        expected.push(warning("on we go"));
        let log = events(root.path());
        prop_assert_eq!(text(&log.rows), text(&expected));
        prop_assert!(log.problems.is_empty() && !log.torn);
    }

    /// Any bytes at all: an answer, never a panic.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let root = tempfile::tempdir().unwrap();
        drop(fresh(root.path()));
        fs::write(root.path().join("events.jsonl"), &bytes).unwrap();
        let log = events(root.path());
        let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        prop_assert_eq!(log.rows.len() + log.problems.len(), newlines);
    }
}
