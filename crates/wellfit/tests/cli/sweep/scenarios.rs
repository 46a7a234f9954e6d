//! The commands that are swept, with what must be true when one of their calls went wrong.

use super::endings::{Files, comparable, difference, files, restore, whole};
use super::tracer::{self, Fault, Seen, What, When};
use crate::bench::{Bench, Outcome};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A command and what belongs to it.
pub struct Scenario {
    pub name: &'static str,
    /// What is there before.
    pub prepare: fn(&Bench),
    /// The command under test.
    pub line: &'static str,
    /// What a user does next; each of these must succeed.
    pub next: &'static [&'static str],
    /// The folders that are old or new, whole, right after the command, whatever happened to it.
    pub whole: &'static [&'static str],
    /// The runs that `verify` must find sound right after the command, if they are there.
    pub sound: &'static [&'static str],
    /// In the end all may also be as it was before.
    pub may_stay: bool,
    /// What is left in the end does not depend on what happened.
    pub one_ending: bool,
}

/// What `WELLFIT_SWEEP=STRIDE[,SCENARIO[,KIND]]` asks for.
pub struct Wanted {
    /// Every so many calls; without it a sample.
    pub stride: Option<usize>,
    scenario: String,
    kind: String,
}

impl Wanted {
    pub fn read() -> Self {
        let text = std::env::var("WELLFIT_SWEEP").unwrap_or_default();
        let mut parts = text.split(',').map(str::to_owned);
        let stride = parts.next().and_then(|part| part.parse().ok());
        Self { stride, scenario: parts.next().unwrap_or_default(), kind: parts.next().unwrap_or_default() }
    }

    pub fn has(&self, scenario: &str) -> bool {
        self.scenario.is_empty() || self.scenario == scenario
    }

    pub fn has_kind(&self, kind: &str) -> bool {
        self.kind.is_empty() || self.kind == kind
    }
}

/// A scenario with its bench, the state before, and the ending of a command that nothing happens to.
pub struct Sweep {
    pub scenario: &'static Scenario,
    pub bench: Bench,
    before: [Files; 2],
    after: [Files; 2],
    /// After the commands that follow, in which nothing is left to do.
    ending: Files,
    /// The id of the run that is there before.
    earlier: Option<String>,
    /// States that were judged already: most calls change nothing, so many faults leave the same.
    judged: HashMap<(bool, Files), Result<(), String>>,
    pub calls: Vec<super::calls::Call>,
}

impl Sweep {
    pub fn begin(scenario: &'static Scenario) -> Self {
        let bench = Bench::new();
        bench.animals();
        (scenario.prepare)(&bench);
        let before = whole(&bench);
        let earlier =
            bench.has("run/run.toml").then(|| bench.toml("run/run.toml")["id"].as_str().unwrap().to_owned());
        let seen = tracer::run(&bench.command(scenario.line), &roots(&bench), None);
        assert_eq!(seen.code, Some(0), "{}: {}", scenario.line, seen.stderr);
        let after = whole(&bench);
        for line in scenario.next {
            bench.run(line).succeeds();
        }
        let ending = comparable(&files(&bench.path("")), earlier.as_deref());
        let after_all = comparable(&after[0], earlier.as_deref());
        assert_eq!(difference(&ending, &after_all), None, "{}: nothing is left to do", scenario.name);
        Self { scenario, bench, before, after, ending, earlier, judged: HashMap::new(), calls: seen.calls }
    }

    /// As it was before the command.
    pub fn reset(&self) {
        restore(&self.bench.path(""), &self.before[0]);
        restore(&self.bench.cached(""), &self.before[1]);
    }

    /// Run the command with that fault; what is wrong afterwards.
    pub fn suffer(&mut self, fault: &Fault) -> (Seen, Result<(), String>) {
        self.reset();
        let seen = tracer::run(&self.bench.command(self.scenario.line), &roots(&self.bench), Some(fault));
        let killed = fault.what == What::Kill && !seen.hit.is_empty();
        let judged = self.judge(&seen, killed);
        (seen, judged)
    }

    /// What is wrong after a command, which may have been ended by a signal if `may_die`.
    pub fn judge(&mut self, seen: &Seen, may_die: bool) -> Result<(), String> {
        if seen.hung {
            return Err("it hangs".to_owned());
        }
        if !may_die && seen.code.is_none_or(|code| code >= 100) {
            return Err(format!("it ended with {:?}", seen.code));
        }
        let now = files(&self.bench.path(""));
        let key = (seen.code == Some(0), self.comparable(&now));
        if let Some(known) = self.judged.get(&key) {
            return known.clone();
        }
        let judged = self.judge_state(seen, &now);
        self.judged.insert(key, judged.clone());
        judged
    }

    /// How many different states were left.
    pub fn states(&self) -> usize {
        self.judged.len()
    }

    /// A run that took the place of another has a larger number.
    fn in_order(&self) -> Result<(), String> {
        let Some(earlier) = self.before[0].get(Path::new("run/run.toml")).and_then(Option::as_ref) else {
            return Ok(());
        };
        let [earlier, now] = [toml::from_slice(earlier).unwrap(), self.bench.toml("run/run.toml")];
        let number = |run: &toml::Table| run["sequence"].as_integer().unwrap();
        if now["id"] == earlier["id"] || number(&now) > number(&earlier) {
            return Ok(());
        }
        Err(format!("the new run has the number {}, that of before {}", number(&now), number(&earlier)))
    }

    fn comparable(&self, files: &Files) -> Files {
        comparable(files, self.earlier.as_deref())
    }

    fn judge_state(&self, seen: &Seen, now: &Files) -> Result<(), String> {
        let Scenario { next, whole, sound, may_stay, one_ending, .. } = self.scenario;
        for folder in *whole {
            let part = |files: &Files| below(files, folder);
            if part(now) != part(&self.before[0]) && part(now) != part(&self.after[0]) {
                let other = difference(&part(now), &part(&self.after[0])).unwrap_or_default();
                return Err(format!("{folder} is neither old nor new: {other}"));
            }
        }
        for run in *sound {
            if self.bench.has(&format!("{run}/run.toml")) {
                succeeds(&self.bench, &format!("verify {run}"))?;
            }
        }
        for line in *next {
            succeeds(&self.bench, line)?;
        }
        self.in_order()?;
        let ending = self.comparable(&files(&self.bench.path("")));
        let other = one_ending.then(|| difference(&ending, &self.ending)).flatten();
        let Some(other) = other else { return Ok(()) };
        let stayed = *may_stay && seen.code != Some(0);
        let is_earlier = stayed && difference(&ending, &self.comparable(&self.before[0])).is_none();
        if is_earlier { Ok(()) } else { Err(other) }
    }
}

fn succeeds(bench: &Bench, line: &str) -> Result<(), String> {
    let output = bench.command(line).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(format!("afterwards: {}", Outcome::new(line, &output))) }
}

fn roots(bench: &Bench) -> Vec<PathBuf> {
    // As `/proc` names them.
    [bench.path("."), bench.cached(".")].map(|path| path.canonicalize().unwrap()).to_vec()
}

fn below(files: &Files, folder: &str) -> Files {
    files
        .iter()
        .filter(|(name, _)| name.starts_with(folder))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

/// The options that the runs here have in common.
macro_rules! train {
    ($more:literal) => {
        concat!(
            "train animals --model mlp --image-size 16 --epochs 2 --batch-size 4 --hflip --checkpoint-every 2steps \
             --checkpoint e{epoch}.safetensors --out run ",
            $more
        )
    };
}
macro_rules! prove {
    () => {
        "prove animals --model mlp --image-size 16 --epochs 1 --batch-size 8 --technique vflip --out trial --resume auto"
    };
}

pub const ALL: [Scenario; 9] = [
    Scenario {
        name: "train",
        prepare: |_| (),
        line: train!(""),
        next: &[train!("--resume auto"), "verify run"],
        whole: &["animals"],
        sound: &["run"],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "resume",
        prepare: half_a_run,
        line: "resume run",
        next: &["resume run", "verify run"],
        whole: &["animals"],
        sound: &["run"],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "force",
        prepare: another_run,
        line: train!("--force"),
        next: &["resume run", "verify run"],
        whole: &["animals"],
        sound: &["run"],
        may_stay: true,
        one_ending: true,
    },
    Scenario {
        name: "export",
        prepare: |bench| {
            another_run(bench);
            bench.run("export run --format safetensors --out exported").succeeds();
            bench.run(train!("--force")).succeeds();
        },
        line: "export run --format safetensors --out exported --force",
        next: &["export run --format safetensors --out exported --force"],
        whole: &["animals", "exported", "run"],
        sound: &[],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "predict",
        prepare: |bench| {
            bench.run(train!("")).succeeds();
            // It is made again by whoever finds that out.
            std::fs::remove_file(bench.path("run/model.safetensors")).unwrap();
        },
        line: "predict run animals/cat/1.png",
        next: &["resume run", "verify run"],
        whole: &["animals"],
        sound: &[],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "verify-resume",
        prepare: |bench| bench.write("mine/notes.txt", "mine"),
        line: "verify-resume animals --model mlp --image-size 16 --epochs 1 --batch-size 8 --kills 1 --out mine",
        next: &[],
        whole: &["animals", "mine/notes.txt"],
        sound: &["mine/run"],
        may_stay: true,
        one_ending: false,
    },
    Scenario {
        name: "prove",
        prepare: |bench| {
            bench.run(prove!()).succeeds();
            for name in ["trial.json", "differences.png", "pair-5/vflip/run.toml"] {
                std::fs::remove_file(bench.path("trial").join(name)).unwrap();
            }
            std::fs::remove_dir_all(bench.path("trial/pair-5/vflip")).unwrap();
        },
        line: prove!(),
        next: &[prove!(), "verify trial/pair-5/vflip"],
        whole: &["animals"],
        sound: &["trial/pair-5/vflip", "trial/pair-5/baseline"],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "report",
        prepare: |bench| {
            another_run(bench);
            bench.run("report run --out page.html").succeeds();
            bench.run(train!("--force")).succeeds();
        },
        line: "report run --out page.html",
        next: &["report run --out page.html"],
        whole: &["animals", "page.html", "run"],
        sound: &["run"],
        may_stay: false,
        one_ending: true,
    },
    Scenario {
        name: "curves",
        prepare: |bench| {
            another_run(bench);
            bench.run("export run --format csv --out curves").succeeds();
            bench.run(train!("--force")).succeeds();
        },
        line: "export run --format csv --out curves --force",
        next: &["export run --format csv --out curves --force"],
        whole: &["animals", "curves", "run"],
        sound: &["run"],
        may_stay: false,
        one_ending: true,
    },
];

fn half_a_run(bench: &Bench) {
    let line = train!("");
    let whole = tracer::run(&bench.command(line), &roots(bench), None);
    let half = whole.calls.iter().filter(|call| tracer::changes(call)).count() / 2;
    std::fs::remove_dir_all(bench.path("run")).unwrap();
    let fault = Fault { what: What::Kill, when: When::Nth(half), which: tracer::changes };
    tracer::run(&bench.command(line), &roots(bench), Some(&fault));
    assert!(bench.has("run/run.toml"));
}

fn another_run(bench: &Bench) {
    bench
        .run("train animals --model mlp --image-size 16 --epochs 1 --batch-size 8 --seed 7 --out run")
        .succeeds();
}
