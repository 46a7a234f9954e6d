//! Damaged records: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use std::fs;
use std::path::{Path, PathBuf};

use helper::{SMALL, at, epoch, fresh, stop, warning};
use sha2::{Digest, Sha256};
use wellfit_fuzz::{Target, as_it_is, files, fuzz, scratch};
use wellfit_record::{Event, Log, RecordError, RunDir, RunInfo, StepRecord, StopReason, read_checkpoint};

/// A run with a checkpoint, events and steps, removed in the end.
struct Scene(PathBuf);

impl Scene {
    fn new(name: &str) -> Self {
        let root = scratch(name);
        let _ = fs::remove_dir_all(&root);
        let mut run = fresh(&root);
        for number in 1..4 {
            run.step(&StepRecord::of_one(number, u64::from(number), 0.1, f64::NAN)).unwrap();
            run.event(&Event::Epoch(epoch(number, 0.5))).unwrap();
        }
        run.event(&Event::LrChange { epoch: 1, from: 0.1, to: 0.01, reason: "no improvement".into() })
            .unwrap();
        run.event(&warning("Ωmega \"quoted\" \u{7}")).unwrap();
        run.checkpoint("best", SMALL, at(1)).unwrap();
        run.event(&stop(StopReason::Finished, 3)).unwrap();
        Self(root)
    }

    /// Fuzz one file of the run with what `read` makes of the run.
    fn fuzz<T>(
        &self,
        name: &str,
        file: &str,
        tokens: &[&[u8]],
        read: impl Fn(&Path) -> Result<T, RecordError>,
    ) {
        let path = self.0.join(file);
        let mut seeds = vec![fs::read(&path).unwrap()];
        seeds.extend(files(&["tests/corpus"], |found| found.starts_with(name)));
        let target = Target { name, seeds: &seeds, tokens, repair: as_it_is };
        fuzz(&target, |bytes| {
            fs::write(&path, bytes).unwrap();
            read(&self.0)
        });
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const JSON: [&[u8]; 12] = [
    b"[",
    b"{",
    b"{\"a\":",
    b"\n",
    b"\"NaN\"",
    b"\"-inf\"",
    b"null",
    b"1e999",
    b"18446744073709551616",
    b"\\ud800",
    b"\"event\":\"stop\"",
    b"\"losses\":{\"a\":1}",
];

/// Damaged lines are left out and named; their kinds stand for the file's.
fn first_problem<T>(log: Log<T>) -> Result<(), RecordError> {
    log.problems
        .into_iter()
        .next()
        .map_or(Ok(()), |problem| Err(RecordError::Damaged { path: problem.path, problem: problem.problem }))
}

#[test]
fn events() {
    let scene = Scene::new("events");
    scene.fuzz("events", "events.jsonl", &JSON, |run| {
        let run = RunDir::open(run)?;
        let _ = run.outcome();
        first_problem(run.events()?)
    });
}

#[test]
fn steps() {
    let scene = Scene::new("steps");
    scene.fuzz("steps", "steps.jsonl", &JSON, |run| first_problem(RunDir::open(run)?.steps()?));
}

#[test]
fn statistics() {
    let scene = Scene::new("statistics");
    let lines = [
        r#"{"row":"run","layers":["a","b"],"relus":["c"],"train_images":[4,5],"val_images":[1,1]}"#,
        r#"{"row":"step","epoch":1,"step":10,"grad_norm":2.937,"alpha":-0.08,"weights":[5.598,null],"zeros":[0.4]}"#,
        r#"{"row":"epoch","epoch":1,"val_right":[1,0],"val_losses":[3.033,0.598]}"#,
    ];
    fs::write(scene.0.join("statistics.jsonl"), lines.join("\n")).unwrap();
    scene.fuzz("statistics", "statistics.jsonl", &JSON, |run| {
        RunDir::open(run)?.statistics()?.map_or(Ok(()), first_problem)
    });
}

#[test]
fn run_toml() {
    let scene = Scene::new("run-toml");
    let tokens: [&[u8]; 12] = [
        b"[",
        b"{",
        b"a.",
        b"[[a]]\n",
        b"a={",
        b"\"\"\"",
        b"'''",
        b"1979-05-27T07:32:00Z",
        b"0xffffffffffffffffff",
        b"inf",
        b"[config.",
        b"\\U0010ffff",
    ];
    scene
        .fuzz("run-toml", "run.toml", &tokens, |run| RunDir::open(run)?.read_run_toml::<RunInfo>().map(drop));
}

/// The manifest has its right checksum, so that what it says is read; no file outside may be.
#[test]
fn manifest() {
    let scene = Scene::new("manifest");
    let path = RunDir::open(&scene.0).unwrap().checkpoints().unwrap().remove(0);
    let tokens =
        [&JSON[..], &[b"../../run.toml", b"/etc/hostname", b"..", b".", b"\\u0000", b"manifest.json"]]
            .concat();
    scene.fuzz("manifest", "checkpoints/0001-best/manifest.json", &tokens, |_| {
        let sum = Sha256::digest(fs::read(path.join("manifest.json")).unwrap());
        fs::write(path.join("manifest.sha256"), format!("{sum:x}  manifest.json\n")).unwrap();
        let loaded = read_checkpoint(&path)?;
        assert!(loaded.files.keys().all(|name| !name.contains('/') && !name.starts_with('.')), "{loaded:?}");
        Ok(())
    });
}
