//! Whatever the disk refuses, and whenever, what was there before is still there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod faulty;
mod helper;

use faulty::{Fault, Faulty, NEVER, at_every_operation};
use helper::{SMALL, at, epoch, fresh_on, stop, warning, with};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use wellfit_record::{
    Blob, Event, RecordError, RunDir, RunInfo, RunWriter, StopReason, epochs, read_checkpoint,
};

#[test]
fn a_failed_commit_leaves_the_previous_checkpoint() {
    at_every_operation(25, |disk, n| {
        let root = tempfile::tempdir().unwrap();
        let mut run = fresh_on(disk.clone(), root.path());
        let old = run.checkpoint("best", SMALL, at(1)).unwrap();
        disk.arm(n);
        let new = run.checkpoint("best", &[("model.safetensors", b"better weights")], at(2));
        let struck = disk.struck(n);
        let reader = RunDir::open(root.path()).unwrap();
        let answer = reader.newest_good(Some("best")).unwrap();
        assert!(answer.skipped.is_empty(), "operation {n}: {:?}", answer.skipped);
        let found = answer.found.unwrap();
        match found.checkpoint.manifest.info.epoch {
            1 => {
                assert!(new.is_err(), "operation {n}: reported but not there");
                assert_eq!(found.files["state.bin"], [0, 255, 7]);
            }
            2 => assert_eq!(found.files["model.safetensors"], b"better weights"),
            other => panic!("epoch {other}?"),
        }
        // Refused before the commit was on the disk: the old one is still the whole old one.
        if new.is_err() && found.checkpoint.manifest.info.epoch == 1 {
            read_checkpoint(&old.path).unwrap();
        }

        if disk.fault == Fault::ForGood {
            drop(run);
            run = RunWriter::resume_with(Faulty::new(Fault::Once), root.path()).unwrap();
        }
        disk.arm(NEVER);
        run.checkpoint("best", SMALL, at(3)).unwrap();
        let left: Vec<_> = std::fs::read_dir(root.path().join("checkpoints")).unwrap().collect();
        assert_eq!(left.len(), 1, "operation {n}: {left:?}");
        struck
    });
}

#[test]
fn a_failed_event_spoils_no_other() {
    at_every_operation(4, |disk, n| {
        let root = tempfile::tempdir().unwrap();
        let mut run = fresh_on(disk.clone(), root.path());
        run.event(&Event::Epoch(epoch(1, 0.5))).unwrap();
        disk.arm(n);
        let second = run.event(&Event::Epoch(epoch(2, 0.4)));
        let struck = disk.struck(n);
        assert_eq!(second.is_err(), struck, "operation {n}: no failure is kept quiet");
        let third = run.event(&warning("three"));
        drop(run);

        let log = RunDir::open(root.path()).unwrap().events().unwrap();
        assert!(log.problems.is_empty(), "operation {n}: {:?}", log.problems);
        assert_eq!(log.rows[0], Event::Epoch(epoch(1, 0.5)));
        if third.is_ok() {
            let expected = [Event::Epoch(epoch(1, 0.5)), Event::Epoch(epoch(2, 0.4)), warning("three")];
            assert_eq!((&log.rows[..], log.torn), (&expected[..], false), "operation {n}: in order, once");
        }

        let mut run = RunWriter::resume_with(Faulty::new(Fault::Once), root.path()).unwrap();
        run.event(&Event::Epoch(epoch(9, 0.3))).unwrap();
        let log = RunDir::open(root.path()).unwrap().events().unwrap();
        assert!(log.problems.is_empty() && epochs(&log.rows).last().unwrap().epoch == 9, "operation {n}");
        struck
    });
}

#[test]
fn a_failed_replacement_brings_the_old_run_back() {
    for exchanges in [true, false] {
        at_every_operation(30, |disk, n| {
            let root = tempfile::tempdir().unwrap();
            let dir = root.path().join("run");
            let mut old = fresh_on(disk.clone(), &dir);
            old.checkpoint("best", SMALL, at(1)).unwrap();
            let old_id = RunDir::open(&dir).unwrap().id().unwrap();
            drop(old);
            disk.exchanges.store(exchanges, Relaxed);
            disk.arm(n);
            let made = RunWriter::create_at(disk.clone(), &dir, true).and_then(|mut run| {
                run.write_run_toml(&helper::info("new"))?;
                Ok(run)
            });
            let struck = disk.struck(n);
            // Whoever looks sees one of the two, whole: if need be after finishing what was begun.
            let found = RunDir::open(&dir).unwrap();
            let is_old = found.id().unwrap() == old_id;
            assert!(!(is_old && made.is_ok()), "operation {n}: reported but not there");
            assert_eq!(read_checkpoint(&dir.join("checkpoints/0001-best")).is_ok(), is_old, "operation {n}");
            assert_eq!(found.checkpoints().unwrap().len(), usize::from(is_old), "operation {n}");
            assert_eq!(found.read_run_toml::<RunInfo>().unwrap().name == "new", !is_old, "operation {n}");
            found.events().unwrap();
            drop(made);
            // The next start removes what is left.
            disk.arm(NEVER);
            let disk = Faulty::new(Fault::Once);
            drop(RunWriter::resume_with(disk.clone(), &dir).unwrap());
            let names = |dir: &Path| {
                let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
                names.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(names(root.path()).len(), 1, "operation {n}: {:?}", names(root.path()));
            assert_eq!(names(&dir).len(), 5, "operation {n}: {:?}", names(&dir));
            struck
        });
    }
}

/// A run that never came to stand leaves nothing that keeps the next one out.
#[test]
fn a_beginning_that_failed_is_no_obstacle() {
    at_every_operation(15, |disk, n| {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        disk.arm(n);
        let made = RunWriter::create_at(disk.clone(), &dir, false)
            .and_then(|mut run| run.write_run_toml(&helper::info("first")));
        let struck = disk.struck(n);
        if made.is_ok() {
            assert_eq!(RunDir::open(&dir).unwrap().read_run_toml::<RunInfo>().unwrap().name, "first");
            return struck;
        }
        let disk = Faulty::new(Fault::Once);
        if RunDir::open(&dir).is_ok() {
            RunWriter::resume_with(disk, &dir).unwrap();
        } else {
            let mut run = RunWriter::create_at(disk, &dir, false).unwrap();
            run.write_run_toml(&helper::info("second")).unwrap();
        }
        let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "operation {n}: {left:?}");
        struck
    });
}

#[test]
fn a_failed_file_of_a_run_leaves_the_one_before() {
    at_every_operation(4, |disk, n| {
        let root = tempfile::tempdir().unwrap();
        let run = fresh_on(disk.clone(), root.path());
        run.write_file("model.bin", b"good weights").unwrap();
        disk.arm(n);
        let written = run.write_file("model.bin", b"better weights");
        let struck = disk.struck(n);
        let found = std::fs::read(root.path().join("model.bin")).unwrap();
        assert!(
            found == b"better weights" || (found == b"good weights" && written.is_err()),
            "operation {n}"
        );
        assert_eq!(written.is_err(), struck, "operation {n}: no failure is kept quiet");
        struck
    });
}

#[test]
fn a_full_disk_is_told_to_people() {
    let root = tempfile::tempdir().unwrap();
    let disk = Faulty::new(Fault::ForGood);
    let mut run = fresh_on(disk.clone(), root.path());
    disk.arm(1);
    let error = run.event(&warning("?")).unwrap_err();
    assert!(matches!(error, RecordError::Io { action: "write", .. }));
    let text = error.to_string();
    assert!(text.contains("events.jsonl") && text.contains("free some space"), "{text}");
}

/// What a power cut must not take is on the disk before anything relies on it.
#[test]
fn the_disk_is_waited_for_in_the_right_order() {
    let root = tempfile::tempdir().unwrap();
    let disk = Faulty::new(Fault::Once);
    let mut run = fresh_on(disk.clone(), root.path());
    run.checkpoint("best", SMALL, at(1)).unwrap();
    let changes = |what: &mut dyn FnMut()| {
        disk.done.lock().unwrap().clear();
        what();
        let mut done = disk.done.lock().unwrap().clone();
        done.retain(|name| !["open", "create", "truncate", "create_dir"].contains(name));
        done.dedup();
        done.join(" ")
    };
    let file = "write sync ";
    let logs = "sync "; // events and steps, before what stands on them
    let commit = logs.to_owned() + &file.repeat(4) + "sync_dir rename sync_dir rename remove ";
    // Its event is on the disk before the next commit stands.
    let event = "write";
    let done = changes(&mut || drop(run.checkpoint("best", SMALL, at(2)).unwrap()));
    assert_eq!(done, commit.clone() + event);
    let fixed = Blob::new(vec![0; 9]);
    let third = |run: &mut RunWriter| drop(run.commit(with("best", 0, ("fixed", &fixed), 3)).unwrap());
    assert_eq!(
        changes(&mut || third(&mut run)),
        commit.replacen(file, &file.repeat(2), 1) + event,
        "written"
    );
    let linked = commit.replace(&file.repeat(4), &[file.repeat(2), "link ".into(), file.repeat(2)].concat());
    assert_eq!(changes(&mut || third(&mut run)), linked + event, "not written again");
    assert_eq!(changes(&mut || run.event(&Event::Epoch(epoch(2, 0.5))).unwrap()), "write");
    assert_eq!(changes(&mut || run.event(&warning("unhurried")).unwrap()), "write");
    let end = stop(StopReason::Finished, 2);
    assert_eq!(changes(&mut || run.event(&end).unwrap()), "sync write sync");
}
