//! Two processes at one run, and hands that move, delete or replace it meanwhile: never two owners, never a checkpoint
//! of another run.

use crate::bench::{Bench, Outcome};
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Rounds in every test run; `WELLFIT_LONG_TESTS` has more.
const ROUNDS: u32 = 10;
const MANY: u32 = 200;

/// Some tenths of a second, with a commit in each step.
macro_rules! train {
    ($more:literal) => {
        concat!(
            "train animals --model mlp --image-size 16 --epochs 8 --batch-size 4 --hflip --checkpoint-every 1steps \
             --quiet --threads 1 ",
            $more
        )
    };
}

/// The ways in which two meet.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    /// Both begin a run in the same place.
    Start,
    /// Both go on with the same run.
    Resume,
    /// Both do what a job queue does.
    Auto,
    /// Both replace a run.
    Force,
    /// One goes on with a run, one replaces it.
    ResumeAndForce,
    /// A live run is moved, and another begins in its place.
    Move,
    /// A live run is deleted, and another begins in its place.
    Delete,
    /// A live run changes places with another one.
    Replace,
    /// A live run's checkpoints are replaced by another run's.
    Checkpoints,
    /// The lock's file of a live run is deleted, and a second process goes on with it.
    Lock,
}

use Meeting::{Auto, Checkpoints, Delete, Force, Lock, Move, Replace, Resume, ResumeAndForce, Start};

const MEETINGS: [Meeting; 10] =
    [Start, Resume, Auto, Force, ResumeAndForce, Move, Delete, Replace, Checkpoints, Lock];

/// What a run has that does not depend on what happened to it.
#[derive(Clone, PartialEq)]
struct Ending {
    model: Vec<u8>,
    steps: String,
}

struct Arena {
    bench: Bench,
    /// Of the runs that begin with seed 0 and with seed 1.
    endings: [Ending; 2],
}

impl Arena {
    fn new() -> Self {
        let bench = Bench::new();
        bench.animals();
        bench.run(train!("--seed 0 --out whole-0")).succeeds();
        bench.run(train!("--seed 1 --out whole-1")).succeeds();
        let endings = [ending(&bench, "whole-0"), ending(&bench, "whole-1")];
        assert!(endings[0].model != endings[1].model);
        Self { bench, endings }
    }

    fn start(&self, line: &str) -> Child {
        self.bench.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Two commands, the second so many milliseconds later.
    fn both(&self, [one, other]: [&str; 2], later: u64) -> [Outcome; 2] {
        let first = self.start(one);
        std::thread::sleep(Duration::from_millis(later));
        let second = self.start(other);
        [ended(one, first), ended(other, second)]
    }

    /// A run in `run` with seed 0 that was killed on its way.
    fn interrupted(&self) {
        let mut child = self.begun(train!("--seed 0 --out run"));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A command once its run has some checkpoints.
    fn begun(&self, line: &str) -> Child {
        let mut child = self.start(line);
        let start = Instant::now();
        let some = || fs::read_dir(self.bench.path("run/checkpoints")).is_ok_and(|found| found.count() > 1);
        while !some() && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "`{line}` makes no checkpoints");
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    fn clear(&self) {
        for entry in fs::read_dir(self.bench.path("")).unwrap() {
            let path = entry.unwrap().path();
            let keep = ["animals", "whole-0", "whole-1"].iter().any(|name| path.ends_with(name));
            if !keep && path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }

    /// A run that can be gone on with to the very ending of its seed, and in which all is sound.
    fn must_end_well(&self, run: &str, seed: usize) {
        self.bench.run(&format!("resume {run}")).succeeds();
        self.bench.run(&format!("verify {run}")).succeeds();
        assert!(ending(&self.bench, run) == self.endings[seed], "{run}: other weights or steps");
    }

    fn round(&self, meeting: Meeting, round: u32) {
        let later = u64::from(round * 7 % 60);
        let pause = || std::thread::sleep(Duration::from_millis(later));
        let bench = &self.bench;
        let moved = |from: &str, to: &str| fs::rename(bench.path(from), bench.path(to)).unwrap();
        let line = train!("--seed 0 --out run");
        match meeting {
            Start => {
                let ends = self.both([line, line], later);
                assert_eq!(codes(&ends), [0, 5], "{} {}", ends[0], ends[1]);
            }
            Resume => {
                self.interrupted();
                one_owner(&self.both(["resume run", "resume run"], later));
            }
            Auto => {
                let line = train!("--seed 0 --out run --resume auto");
                one_owner(&self.both([line, line], later));
            }
            Force => {
                self.interrupted();
                let line = train!("--seed 0 --out run --force");
                one_owner(&self.both([line, line], later));
            }
            ResumeAndForce => {
                self.interrupted();
                one_owner(&self.both(["resume run", train!("--seed 0 --out run --force")], later));
            }
            Move => {
                let first = self.begun(line);
                pause();
                moved("run", "moved");
                let second = self.start(train!("--seed 1 --out run"));
                lost_or_ended(&ended(line, first));
                ended("the second", second).succeeds();
                self.must_end_well("moved", 0);
                return self.must_end_well("run", 1);
            }
            Delete => {
                let first = self.begun(line);
                pause();
                // The owner may make a file while its folder is emptied.
                while fs::remove_dir_all(bench.path("run")).is_err() {}
                let second = self.start(train!("--seed 1 --out run"));
                lost_or_ended(&ended(line, first));
                ended("the second", second).succeeds();
                return self.must_end_well("run", 1);
            }
            Replace => {
                bench.run(train!("--seed 1 --out other")).succeeds();
                let first = self.begun(line);
                pause();
                moved("run", "aside");
                moved("other", "run");
                lost_or_ended(&ended(line, first));
                self.must_end_well("aside", 0);
                return self.must_end_well("run", 1);
            }
            Checkpoints => {
                bench.run(train!("--seed 1 --out other")).succeeds();
                self.interrupted();
                fs::remove_dir_all(bench.path("run/checkpoints")).unwrap();
                moved("other/checkpoints", "run/checkpoints");
                for outcome in self.both(["resume run", "resume run"], later) {
                    outcome.exits(5);
                }
                return;
            }
            Lock => {
                let first = self.begun(line);
                pause();
                fs::remove_file(bench.path("run/.lock")).unwrap();
                let second = self.start("resume run");
                lost_or_ended(&ended(line, first));
                ended("the second", second).succeeds();
            }
        }
        self.must_end_well("run", 0);
    }
}

fn ending(bench: &Bench, run: &str) -> Ending {
    Ending {
        model: bench.bytes(&format!("{run}/model.safetensors")),
        steps: bench.text(&format!("{run}/steps.jsonl")),
    }
}

fn ended(line: &str, child: Child) -> Outcome {
    Outcome::new(line, &child.wait_with_output().unwrap())
}

fn codes(outcomes: &[Outcome; 2]) -> [i32; 2] {
    let mut codes = [0, 1].map(|i: usize| outcomes[i].code().unwrap());
    codes.sort_unstable();
    codes
}

/// At least one succeeds; the other too, or it is told that the run is in use.
fn one_owner(outcomes: &[Outcome; 2]) {
    let [first, second] = codes(outcomes);
    assert!(first == 0 && [0, 5].contains(&second), "{} {}", outcomes[0], outcomes[1]);
}

/// A process whose run was taken away ends with an error, unless it was done before.
fn lost_or_ended(outcome: &Outcome) {
    assert!(matches!(outcome.code(), Some(0 | 5)), "{outcome}");
}

#[test]
fn two_processes_never_both_own_a_run() {
    let arena = Arena::new();
    let rounds = if std::env::var_os("WELLFIT_LONG_TESTS").is_some() { MANY } else { ROUNDS };
    for round in 0..rounds {
        let meeting = MEETINGS[round as usize % MEETINGS.len()];
        println!("round {round}: {meeting:?}");
        arena.clear();
        arena.round(meeting, round);
    }
}
