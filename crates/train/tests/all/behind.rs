//! Checkpoints are written while the next steps run, and nothing of what is promised of them changes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::material::{Ending, Story};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use wellfit_record::{Checkpoint, Dir, Disk, Event, Io, RunDir};
use wellfit_train::{Callback, Control, EpochReport, Every, FitConfig, Phase, Tick};

/// A disk whose commits wait until they are let through.
#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    refuse: AtomicBool,
    waiting: AtomicUsize,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// Nobody waits for the hardware.
impl Io for Gate {
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _: &Dir) -> io::Result<()> {
        Ok(())
    }
    fn rename(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        let name = to.1.to_str().unwrap();
        if name.ends_with("-last") && !name.starts_with('.') {
            self.waiting.fetch_add(1, SeqCst);
            let mut open = self.open.lock().unwrap();
            while !*open {
                let (guard, waited) = self.opened.wait_timeout(open, Duration::from_secs(60)).unwrap();
                open = guard;
                assert!(!waited.timed_out(), "no step was made while a commit waited");
            }
            if self.refuse.load(SeqCst) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Disk.rename(from, to)
    }
}

/// Opens the gate at the third step of the second epoch, and writes down what it hears.
struct Steps {
    gate: Arc<Gate>,
    heard: Vec<String>,
}

impl Callback for Steps {
    fn tick(&mut self, tick: &Tick) {
        if tick.phase == Phase::Train && (tick.epoch, tick.batch) == (2, 3) {
            assert_eq!(self.heard, ["epoch 1"], "a checkpoint was told of that does not stand");
            self.heard.push("step 8".to_owned());
            self.gate.open();
        }
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        assert!(checkpoint.path.is_dir(), "it stands");
        let info = &checkpoint.manifest.info;
        self.heard.push(format!("{} {}", checkpoint.manifest.name, info.epoch));
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.heard.push(format!("epoch {}", report.record.epoch));
        Control::Continue
    }
}

fn story() -> Story {
    let mut story = Story::new();
    story.config = FitConfig { epochs: 3, early_stopping: None, ..story.config };
    story
}

#[test]
fn steps_go_on_while_a_commit_waits_and_its_word_comes_afterwards() {
    let root = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let mut run = Story::new_run(gate.clone(), &root.path().join("run"));
    let mut steps = Steps { gate: gate.clone(), heard: Vec::new() };
    let outcome = story().begin(&mut run, &mut steps).unwrap();
    assert_eq!(gate.waiting.load(SeqCst), 3);
    assert_eq!(steps.heard[..2], ["epoch 1", "step 8"]);
    // The words of the best and the last checkpoint come in the order of the commits, all before the end.
    let lasts: Vec<&String> = steps.heard.iter().filter(|word| word.starts_with("last")).collect();
    assert_eq!(lasts, ["last 1", "last 2", "last 3"]);
    let place = |word: &str| steps.heard.iter().position(|heard| heard == word).unwrap();
    assert!(place("last 1") > place("step 8") && place("last 1") < place("epoch 2"), "{:?}", steps.heard);
    drop(Ending::of(&outcome, run));
}

#[test]
fn a_commit_that_fails_behind_ends_the_run_with_its_error() {
    let root = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate { refuse: true.into(), ..Gate::default() });
    let mut run = Story::new_run(gate.clone(), &root.path().join("run"));
    let mut steps = Steps { gate, heard: Vec::new() };
    let error = story().begin(&mut run, &mut steps).unwrap_err().to_string();
    assert!(error.contains("0002-last") && error.contains("free some space"), "{error}");
    // What stood before it is told of, the second epoch is not recorded.
    let events = RunDir::open(run.path()).unwrap().events().unwrap().rows;
    let names: Vec<&str> = events
        .iter()
        .map(|event| match event {
            Event::Epoch(_) => "epoch",
            Event::Checkpoint { name, .. } => name.as_str(),
            _ => "other",
        })
        .collect();
    assert_eq!(names, ["epoch", "best"]);
}

/// Each step commits, so each waits for the commit before it: as if there were no thread. The weights, the figures and
/// the order of events are those of a run that was never held up.
#[test]
fn slow_and_fast_disks_leave_the_same_run() {
    let slow = |delay: u64, every: Option<Every>| {
        let root = tempfile::tempdir().unwrap();
        let mut run = Story::new_run(Arc::new(Slow(delay)), &root.path().join("run"));
        let mut story = story();
        story.config.checkpoint_every = every;
        let outcome = story.begin(&mut run, &mut ()).unwrap();
        let events = RunDir::open(run.path()).unwrap().events().unwrap().rows;
        // Times differ, and so the checksums of what holds them.
        let gist = |event: &Event| match event {
            Event::Epoch(epoch) => format!("epoch {} {}", epoch.epoch, epoch.val_loss()),
            Event::Checkpoint { name, epoch, step, .. } => format!("{name} {epoch} {step}"),
            Event::Stop { reason, .. } => format!("stop {reason}"),
            other => format!("{other:?}"),
        };
        (Ending::of(&outcome, run), events.iter().map(gist).collect::<Vec<_>>())
    };
    let fast = slow(0, None);
    assert_eq!(slow(5, None), fast);
    let (each_step, events) = slow(2, Some(Every::Steps(1)));
    assert_eq!(each_step, fast.0);
    assert_eq!(events, slow(0, Some(Every::Steps(1))).1);
}

/// A disk that takes so many milliseconds for every sync.
#[derive(Debug)]
struct Slow(u64);

impl Io for Slow {
    fn sync(&self, _: &File) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(self.0));
        Ok(())
    }
    fn sync_dir(&self, _: &Dir) -> io::Result<()> {
        Ok(())
    }
}
