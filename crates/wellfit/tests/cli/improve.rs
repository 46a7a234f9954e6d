//! `improve`: what findings advise is tested by pairs and adopted; killed, it goes on to the same decisions and bits.

use crate::bench::Bench;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A rate that is far too low, for a network that learns in no time.
const LINE: &str = "improve digits --model mlp --epochs 5 --batch-size 8 --lr 1e-5 --budget 400epochs --json";

fn digits() -> Bench {
    let bench = Bench::new();
    bench.digits("digits", 60, 40);
    bench
}

/// What was decided, without what depends on the place.
fn decided(bench: &Bench, dir: &str) -> Value {
    let mut found: Value = serde_json::from_str(&bench.text(&format!("{dir}/improve.json"))).unwrap();
    for key in ["improvement", "first", "final"] {
        found[key] = Value::Null;
    }
    for round in found["rounds"].as_array_mut().unwrap() {
        round["trial"] = Value::Null;
    }
    found
}

/// The weights of all runs, by their places.
fn weights(bench: &Bench, dir: &str) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let all = bench.snapshot().into_iter();
    let within =
        all.filter_map(|(path, bytes)| Some((path.strip_prefix(bench.path(dir)).ok()?.to_owned(), bytes)));
    within.filter(|(path, _)| path.ends_with("model.safetensors")).collect()
}

#[test]
fn an_improvement_that_is_killed_goes_on_to_the_same_decisions_and_bits() {
    let bench = digits();
    let line = LINE.replace("--budget 400epochs", "--budget 130epochs");
    bench.run(&format!("{line} --out whole")).succeeds();
    let mut kills = 0;
    for wait in [300, 500, 700] {
        let mut child = bench.command(&format!("{line} --out cut --resume auto --quiet")).spawn().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(wait) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "none was killed while it worked");
    bench.run(&format!("{line} --out cut --resume auto")).succeeds();
    assert_eq!(decided(&bench, "cut"), decided(&bench, "whole"));
    assert!(weights(&bench, "cut") == weights(&bench, "whole"));
}

#[test]
fn settings_without_a_finding_are_left_as_they_are() {
    let bench = digits();
    let line = "improve digits --model mlp --epochs 2 --budget 20epochs --out i";
    // Two epochs are too few to tell anything.
    bench
        .run(line)
        .succeeds()
        .says("Findings")
        .says("Adopted: nothing")
        .says("The final settings: wellfit train digits");
    let found = decided(&bench, "i");
    assert_eq!(
        (&found["adopted"], &found["rounds"]),
        (&serde_json::json!([]), &serde_json::json!([])),
        "{found}"
    );
    assert!(bench.has("i/first/report.html") && !bench.has("i/final"));
}

#[test]
fn what_cannot_be_improved_is_refused_before_anything_is_written() {
    let bench = digits();
    for (options, parts) in [
        ("--budget 10", &["--budget", "1h30m", "300epochs"][..]),
        ("--budget 1h --metric loss", &["metric", "val_loss"]),
        ("--budget 1h --time 10s", &["--time", "--epochs"]),
        ("--budget 1h --alpha 2", &["alpha"]),
        ("--budget 1h --folds 3", &["--folds"]),
    ] {
        bench.refuses(&format!("improve digits --model mlp {options} --out i"), 2, parts);
    }
}
