//! Hostile objects at each path of a run, and at each path that a command is given.

use crate::everything;
use crate::objects::{COUNT, place};
use crate::scene::{Entry, Scene, copy, list, words};
use crate::watched::{Outcome, Wrong, command, watch};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Commands that read a run, whose folder is `run`.
const OF_RUNS: [&str; 20] = [
    "resume run",
    "verify run",
    "predict run data/a/0.ppm",
    "evaluate run data --force",
    "explain run data/a/0.ppm --out new",
    "export run --out new",
    "plot run --out new",
    "runs .",
    "diagnose run",
    "replay --run run",
    "train --config run --out new --epochs 1 --force",
    "train data --weights run --model mlp --image-size 8 --epochs 1 --out new",
    "train data --model mlp --image-size 8 --batch-size 4 --epochs 2 --out run --resume auto",
    "train data --model mlp --image-size 8 --batch-size 4 --epochs 1 --out run --force",
    "plot run",
    "lr-find --config run --out new",
    "export run --out new --format onnx",
    "predict run/model.safetensors data --jsonl",
    "watch run",
    "serve run --port 0",
];

/// Commands that are given `object`, with the ending that makes it a file of some kind.
const GIVEN: [(&str, &str); 34] = [
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ""),
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ".npz"),
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ".csv"),
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ".jsonl"),
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ".parquet"),
    ("train OBJECT --model mlp --image-size 8 --epochs 1 --out new", ".tar"),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --config OBJECT", ".toml"),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --weights OBJECT", ".pth"),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --weights OBJECT", ".safetensors"),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --class-weights OBJECT", ".json"),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --cache disk --cache-dir OBJECT", ""),
    ("train data --model mlp --image-size 8 --epochs 1 --out new --label-column OBJECT", ""),
    ("predict run OBJECT", ".png"),
    ("predict run OBJECT", ".jpg"),
    ("predict run OBJECT", ".npz"),
    ("predict run OBJECT", ".csv"),
    ("predict OBJECT data/a/0.ppm", ".pth"),
    ("predict OBJECT data/a/0.ppm --model mlp --image-size 8", ".safetensors"),
    ("predict run data/a/0.ppm --classes OBJECT", ".txt"),
    ("predict run data --calibrate OBJECT --precision int8", ""),
    ("evaluate run OBJECT", ".parquet"),
    ("explain run OBJECT --out new", ".bmp"),
    ("export OBJECT --out new", ".pth"),
    ("data show OBJECT --out new.png", ""),
    ("data stats OBJECT", ".tar"),
    ("data split OBJECT --out new", ""),
    ("diagnose OBJECT", ".csv"),
    ("diagnose OBJECT", ".json"),
    ("diagnose OBJECT", ".tfevents.1"),
    ("replay --losses OBJECT", ".jsonl"),
    ("replay --losses OBJECT", ".csv"),
    ("runs OBJECT", ""),
    ("verify OBJECT", ""),
    ("prove data --a OBJECT --b OBJECT --out new", ".toml"),
];

/// One try in copies of its own.
fn try_one(wrong: &mut Wrong, master: &Scene, line: &str, path: &Path, number: usize) -> f64 {
    let scene = Scene::copy_of(master);
    // Outside the scene: whatever a link leads to must stay as it is.
    let outside = TempDir::new().unwrap();
    let placed = place(number, &scene.path().join(path), outside.path());
    let growing = placed.name.starts_with("Growing");
    let before = entries(outside.path());
    let words = words(line);
    let case = format!("object {number} ({}) as {}: {line}", placed.name, path.display());
    let seconds = wrong.note(&case, || {
        let outcome = watch(command(&scene.path(), scene.aside(), &words), &words, scene.aside());
        outcome.is_orderly();
        assert!(growing || entries(outside.path()) == before, "it changed what the link leads to\n{outcome}");
        leaves_nothing_half_made(&scene.path(), &outcome);
        outcome.seconds
    });
    seconds.unwrap_or(0.0)
}

fn entries(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    list(folder, &mut found);
    found
}

/// No file under a temporary name, anywhere.
fn leaves_nothing_half_made(root: &Path, outcome: &Outcome) {
    for path in entries(root).keys() {
        let name = path.file_name().unwrap().to_string_lossy();
        let temporary =
            name.starts_with(".tmp") || name.starts_with(".wellfit-") || name.ends_with(".partial");
        assert!(!temporary, "{} is left\n{outcome}", path.display());
    }
}

/// The paths of files and folders in a run.
fn paths_of_run(master: &Scene) -> Vec<PathBuf> {
    let root = master.path();
    entries(&root.join("run")).keys().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect()
}

/// Some of so many in the short form, all in the long one.
fn chosen(all: usize, short: usize) -> impl Iterator<Item = usize> {
    let step = if everything() { 1 } else { (all / short).max(1) };
    (0..all).step_by(step)
}

#[test]
fn whatever_stands_at_a_path_of_a_run_has_an_answer() {
    let master = Scene::new();
    let paths = paths_of_run(&master);
    assert!(paths.len() > 20, "{paths:?}");
    let all = paths.len() * COUNT;
    let mut wrong = Wrong::default();
    let (mut tried, mut slowest) = (0, (0.0, String::new()));
    for case in chosen(all, 130) {
        let (path, number) = (&paths[case / COUNT], case % COUNT);
        // Each object meets each command at some path.
        let line = OF_RUNS[(case / COUNT + number) % OF_RUNS.len()];
        let seconds = try_one(&mut wrong, &master, line, path, number);
        tried += 1;
        if seconds > slowest.0 {
            slowest = (seconds, format!("{line} with object {number} as {}", path.display()));
        }
    }
    println!(
        "{tried} of {COUNT} objects at {} paths of a run, slowest {:.2} s: {}",
        paths.len(),
        slowest.0,
        slowest.1
    );
    wrong.is_nothing();
}

#[test]
fn whatever_a_command_is_given_has_an_answer() {
    let master = Scene::new();
    let all = GIVEN.len() * COUNT;
    let mut wrong = Wrong::default();
    let (mut tried, mut slowest) = (0, (0.0, String::new()));
    for case in chosen(all, 110) {
        let ((line, ending), number) = (GIVEN[case % GIVEN.len()], case / GIVEN.len());
        let line = line.replace("OBJECT", &format!("object{ending}"));
        let seconds = try_one(&mut wrong, &master, &line, Path::new(&format!("object{ending}")), number);
        tried += 1;
        if seconds > slowest.0 {
            slowest = (seconds, format!("{line} with object {number}"));
        }
    }
    println!(
        "{tried} of {COUNT} objects given to {} commands, slowest {:.2} s: {}",
        GIVEN.len(),
        slowest.0,
        slowest.1
    );
    wrong.is_nothing();
}

/// The helpers themselves: a copy has what the original has.
#[test]
fn a_scene_is_copied_whole() {
    let master = Scene::new();
    let other = TempDir::new().unwrap();
    copy(&master.path(), other.path());
    assert_eq!(entries(other.path()).len(), master.entries().len());
    assert!(fs::metadata(other.path().join("dev/null")).is_ok());
}
