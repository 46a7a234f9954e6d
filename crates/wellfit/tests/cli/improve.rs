//! `improve`: what findings advise is tested by pairs and adopted; killed, it goes on to the same decisions and bits.

use crate::bench::Bench;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A rate at which nothing is learnt, for a network that learns in no time: no run of the settings is as good as one with a usual
/// rate, so the fewest pairs prove it.
const LINE: &str = "improve digits --model mlp --epochs 8 --batch-size 8 --lr 1e-6 --budget 240epochs --json";

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
        round["looks"].as_array_mut().unwrap().iter_mut().for_each(|look| look["run"] = Value::Null);
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
fn a_rate_that_is_too_low_is_found_proven_and_adopted() {
    let bench = digits();
    let line = format!("{LINE} --out i");
    let result = bench.run(&line).succeeds().json();
    let found = decided(&bench, "i");
    let adopted = found["adopted"][0].as_str().unwrap_or_default();
    assert!(adopted.starts_with("lr=0.001"), "{found:#}");
    let round = &found["rounds"][0];
    assert_eq!(round["alpha"], 0.025);
    // Of each candidate one run, and what was ahead has its proof in fresh seeds.
    let looks = round["looks"].as_array().unwrap();
    assert!(looks.iter().any(|one| one["name"] == "hflip"), "{round:#}");
    let seen = looks.iter().find(|one| one["name"] == adopted).unwrap();
    assert!(seen["difference"].as_f64() > Some(0.0), "{seen}");
    let proven = round["techniques"].as_array().unwrap().iter().find(|one| one["name"] == adopted).unwrap();
    assert_eq!(proven["verdict"], "helps");
    assert!(proven["e"].as_f64() >= Some(40.0), "{proven}");
    assert!(bench.has("i/round-1/pair-1/baseline/run.toml") && !bench.has("i/round-1/pair-0"));
    // What came out is an ordinary run of the settings that the command names.
    let command = result["command"].as_str().unwrap();
    assert!(command.starts_with("wellfit train digits "), "{command}");
    bench.run(&format!("{} --out again", command.strip_prefix("wellfit ").unwrap())).succeeds();
    assert!(bench.bytes("again/model.safetensors") == bench.bytes("i/final/model.safetensors"));
    // One look, at both.
    let test = &found["test"];
    assert_eq!((&found["test_looks"], &test["look"], &test["images"]), (&1.into(), &1.into(), &40.into()));
    assert!(test["last"]["accuracy"].as_f64() > test["first"]["accuracy"].as_f64(), "{test}");
    // Its page leads to those of the proof and of the final run.
    let page = bench.text("i/report.html");
    for part in
        [format!("Adopted: {adopted}"), "round-1/report.html".to_owned(), "final/report.html".to_owned()]
    {
        assert!(page.contains(&part), "{part}");
    }
    assert!(bench.has("i/round-1/report.html") && bench.has("i/final/report.html"));
    bench.run("report i --out page.html").succeeds();
    assert!(bench.text("page.html") == page);
    bench.refuses(&line, 5, &["i holds an improvement already", "--resume auto"]);
    bench.refuses(&format!("{line} --resume auto --delta 0.1"), 2, &["another plan", "improve.toml"]);
    // Nothing is trained again, and the test part is not looked at again.
    let before = weights(&bench, "i");
    bench.run(&format!("{line} --resume auto")).succeeds();
    assert_eq!(decided(&bench, "i"), found);
    assert!(weights(&bench, "i") == before);
    assert_eq!(bench.lines("i/test-looks.jsonl").len(), 1);
}

#[test]
fn an_improvement_that_is_killed_goes_on_to_the_same_decisions_and_bits() {
    let bench = digits();
    bench.run(&format!("{LINE} --out whole")).succeeds();
    let mut kills = 0;
    for wait in [300, 500, 700] {
        let mut child = bench.command(&format!("{LINE} --out cut --resume auto --quiet")).spawn().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(wait) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "none was killed while it worked");
    bench.run(&format!("{LINE} --out cut --resume auto")).succeeds();
    assert_eq!(decided(&bench, "cut"), decided(&bench, "whole"));
    assert!(weights(&bench, "cut") == weights(&bench, "whole"));
}

#[test]
fn a_budget_that_pays_for_no_proof_leaves_the_settings_as_they_are() {
    let bench = digits();
    let line = "improve digits --model mlp --epochs 2 --budget 20epochs --out i";
    bench
        .run(line)
        .succeeds()
        .says("Findings")
        .says("Adopted: nothing")
        .says("The final settings: wellfit train digits");
    let found = decided(&bench, "i");
    assert_eq!(
        (&found["adopted"], &found["rounds"], &found["stop"]),
        (&serde_json::json!([]), &serde_json::json!([]), &"budget".into()),
        "{found}"
    );
    assert!(bench.has("i/first/report.html") && !bench.has("i/final"));
    assert!(bench.text("i/report.html").contains("Adopted: nothing"));
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
