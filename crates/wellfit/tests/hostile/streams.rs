//! Standard output and standard error that take nothing: the exit code is the documented one, and nothing panics.

use crate::scene::{Scene, words};
use crate::watched::{Wrong, command};
use std::fs::File;
use std::process::Stdio;

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_full_device_as_standard_error_changes_no_exit_code() {
    let scene = Scene::new();
    let mut wrong = Wrong::default();
    for (line, code) in [
        ("train data --model mlp --image-size 8 --epochs 1 --out new", 0),
        ("train data --model mlp --image-size 8 --epochs 1 --out new", 5),
        ("train data --model mlp --image-size 8 --epochs 1 --out other --json", 0),
        ("train none", 3),
        ("train data --model none", 2),
        ("--no-such-option", 2),
        ("", 2),
        ("resume none", 5),
        ("predict run data --csv", 0),
        ("predict run none", 3),
        ("diagnose table.csv --json", 0),
        ("replay --losses table.csv --early-stopping", 0),
        ("bench mlp --steps 1 --json", 0),
        ("data show data --json", 0),
        ("verify run", 0),
        ("runs . --json", 0),
    ] {
        let words = words(line);
        let mut child = command(&scene.path(), scene.aside(), &words);
        let status = child.stdout(Stdio::null()).stderr(full()).status().unwrap();
        wrong.note(line, || assert_eq!(status.code(), Some(code), "{line}"));
    }
    wrong.is_nothing();
}

#[test]
fn a_full_device_as_standard_output_is_told() {
    let scene = Scene::new();
    let mut wrong = Wrong::default();
    for line in [
        "diagnose table.csv",
        "diagnose table.csv --json",
        "replay --losses table.csv --early-stopping",
        "runs .",
        "models",
        "--help",
        "train --help",
        "--version",
        "verify run",
        "predict run data --csv",
        "predict run data --jsonl",
        "data stats data",
        "weights list",
    ] {
        let words = words(line);
        let mut child = command(&scene.path(), scene.aside(), &words);
        let output = child.stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        wrong.note(line, || {
            assert_eq!(output.status.code(), Some(5), "{line}: {errors}");
            assert!(errors.contains("standard output"), "{line}: {errors}");
        });
    }
    for (both, code) in [("models", 5), ("--help", 5), ("none", 2)] {
        let words = words(both);
        let status =
            command(&scene.path(), scene.aside(), &words).stdout(full()).stderr(full()).status().unwrap();
        wrong.note(both, || assert_eq!(status.code(), Some(code), "{both}"));
    }
    wrong.is_nothing();
}
