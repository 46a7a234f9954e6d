//! The list of runs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::{epoch, fresh, info, stop};
use std::fs;
use std::path::Path;
use wellfit_record::{Event, RunState, RunWriter, StopReason, list_runs};

fn trained(root: &Path, name: &str, losses: &[f64]) -> RunWriter {
    let mut run = fresh(&root.join(name));
    for (number, loss) in (1..).zip(losses) {
        run.event(&Event::Epoch(epoch(number, *loss))).unwrap();
    }
    run
}

#[test]
fn runs_are_listed_with_what_they_came_to() {
    let root = tempfile::tempdir().unwrap();
    let mut stopped = trained(root.path(), "a", &[f64::NAN, 0.5, 0.25, 0.25]);
    stopped.event(&stop(StopReason::EarlyStopping, 4)).unwrap();
    let _running = trained(root.path(), "b", &[0.5]);
    drop(trained(root.path(), "c", &[]));

    let runs = list_runs(root.path()).unwrap();
    assert_eq!(runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let [a, b, c] = [0, 1, 2].map(|n| runs[n].outcome.as_ref().unwrap());
    assert_eq!(a.data_wait_share, 0.125, "of the training passes");
    assert_eq!(
        (a.epochs, a.seconds, a.state.clone()),
        (4, 10.0, RunState::Stopped(StopReason::EarlyStopping))
    );
    assert_eq!(a.best.unwrap().epoch, 3, "the first of equals, and never NaN");
    assert_eq!(a.info, info("a"));
    assert_eq!((b.epochs, b.state.clone()), (1, RunState::Running));
    assert_eq!((c.epochs, c.best, c.state.clone()), (0, None, RunState::Interrupted));
}

#[test]
fn a_resumed_run_is_no_longer_stopped() {
    let root = tempfile::tempdir().unwrap();
    let mut run = trained(root.path(), "a", &[0.5]);
    run.event(&stop(StopReason::Finished, 1)).unwrap();
    let resumed = Event::Resumed {
        epoch: 1,
        step: 10,
        checkpoint: "0002-last".into(),
        threads: 2,
        time: wellfit_record::now(),
    };
    run.event(&resumed).unwrap();
    assert_eq!(list_runs(root.path()).unwrap()[0].outcome.as_ref().unwrap().state, RunState::Running);
    drop(run);
    assert_eq!(list_runs(root.path()).unwrap()[0].outcome.as_ref().unwrap().state, RunState::Interrupted);
}

#[test]
fn broken_runs_are_listed_with_their_problem() {
    let root = tempfile::tempdir().unwrap();
    drop(trained(root.path(), "good", &[0.5]));
    fs::create_dir(root.path().join("empty")).unwrap();
    drop(trained(root.path(), "garbled", &[0.5]));
    fs::write(root.path().join("garbled/run.toml"), "format = 1\nname = ").unwrap();
    drop(trained(root.path(), "silent", &[0.5]));
    fs::remove_file(root.path().join("silent/events.jsonl")).unwrap();
    fs::write(root.path().join("notes.txt"), "no directory").unwrap();

    let runs = list_runs(root.path()).unwrap();
    let told = |name: &str| {
        runs.iter().find(|run| run.name == name).unwrap().outcome.as_ref().unwrap_err().to_string()
    };
    assert!(told("empty").contains("no run.toml"));
    assert!(told("garbled").contains("line 2"), "{}", told("garbled"));
    // A run that lost its events can go on (`lacks`), so it is one that was interrupted.
    let silent = runs.iter().find(|run| run.name == "silent").unwrap();
    assert_eq!(silent.outcome.as_ref().unwrap().state, RunState::Interrupted);
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    assert!(runs.len() == 4 && names.contains(&"good"), "{names:?}");
    assert!(list_runs(&root.path().join("nowhere")).unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn the_last_evaluation_on_the_test_part_counts_until_the_run_goes_back() {
    let root = tempfile::tempdir().unwrap();
    let mut run = trained(root.path(), "a", &[0.5]);
    let found = || list_runs(root.path()).unwrap()[0].outcome.as_ref().unwrap().test_accuracy;
    assert_eq!(found(), None);
    for (part, accuracy) in [("test", 0.25), ("test", 0.75), ("val", 0.5)] {
        let time = wellfit_record::now();
        run.event(&Event::Evaluated { part: part.into(), images: 8, loss: 1.0, accuracy, time }).unwrap();
    }
    assert_eq!(found(), Some(0.75));
    run.go_back_to(None, "last", 1).unwrap();
    assert_eq!(found(), None);
}
