//! The search for a learning rate: `lr-find` and `train --lr auto`.

use crate::bench::Bench;
use crate::material::MLP;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// Few steps of a small network, whose loss falls.
const FIND: &str = "--model mlp --image-size 16 --batch-size 4 --seed 3";

#[test]
fn it_suggests_draws_and_leaves_no_run() {
    let bench = animals();
    let found = bench.run(&format!("lr-find animals {FIND} --json")).succeeds().json();
    let valley = found["suggestions"]["valley"].as_f64().unwrap();
    assert!(valley > 1e-7 && valley < 10.0, "{found}");
    assert!(found["suggestions"]["steep"].is_f64() && found["suggestions"]["minimum"].is_f64());
    let points = found["points"].as_array().unwrap();
    assert!(points.len() > 30 && points.len() <= 100);
    assert_eq!(points[0]["lr"].as_f64(), Some(1e-7));
    assert_eq!(bench.names("lr-find"), ["lr-find.json", "lr-find.png", "lr-find.svg"]);
    assert!(!bench.has("runs"), "it is no run");
    let written: serde_json::Value = serde_json::from_str(&bench.text("lr-find/lr-find.json")).unwrap();
    assert_eq!(written["points"], found["points"]);
    assert!(bench.text("lr-find/lr-find.svg").contains("1e\u{2212}3"), "a logarithmic axis");

    // The same search gives the same files, which need no --force; on any number of threads.
    bench.run(&format!("lr-find animals {FIND} --threads 1")).succeeds().says("valley").says("steep");
    let again = bench.run(&format!("lr-find animals {FIND} --steps 50 --json"));
    again.exits(5).complains("--force");
    let other = bench.run(&format!("lr-find animals {FIND} --steps 50 --out other --json")).succeeds().json();
    assert_eq!(other["steps"].as_u64(), Some(50));
    // What trains decides what is found.
    let sgd =
        bench.run(&format!("lr-find animals {FIND} --optimizer sgd --out sgd --json")).succeeds().json();
    assert_ne!(sgd["points"][40]["loss"], found["points"][40]["loss"]);
}

#[test]
fn wrong_ranges_are_refused() {
    let bench = animals();
    for (options, part) in [
        ("--start-lr 0", "--start-lr"),
        ("--end-lr 1e-8", "--end-lr"),
        ("--steps 5", "--steps must be at least 20"),
        ("--folds 3", "--fold"),
    ] {
        bench.refuses(&format!("lr-find animals {FIND} {options}"), 2, &[part]);
    }
    bench.run(&format!("lr-find animals {FIND} --lr 0.1")).succeeds().warns("--lr 0.1 has no part");
}

#[test]
fn a_run_takes_what_is_found_and_keeps_it() {
    let bench = animals();
    let line = format!("train animals {FIND} --epochs 2");
    bench.run(&format!("{line} --lr auto --out found")).succeeds().says("Learning rate").says("valley");
    let toml = bench.toml("found/run.toml");
    let lr = toml["config"]["lr"].as_float().unwrap();
    assert_eq!(toml["lr_find"]["lr"].as_float(), Some(lr));
    assert!(bench.has("found/lr-find.png") && bench.has("found/lr-find.json"));
    // The same as lr-find suggests, and as the number itself gives.
    let found = bench.run(&format!("lr-find animals {FIND} --json")).succeeds().json();
    assert_eq!(found["suggestions"]["valley"].as_f64(), Some(lr));
    bench.run(&format!("{line} --lr {lr:?} --out number")).succeeds();
    assert!(bench.bytes("found/model.safetensors") == bench.bytes("number/model.safetensors"));
    assert!(bench.toml("number/run.toml").get("lr_find").is_none());

    // Resumed, it does not search again, whatever is typed.
    let more = bench.run("train --resume found --epochs 3 --lr auto").succeeds();
    more.never_says("Looking for a learning rate");
    bench.run("train --resume number --epochs 3").succeeds();
    assert!(bench.bytes("found/model.safetensors") == bench.bytes("number/model.safetensors"));
    assert_eq!(bench.toml("found/run.toml")["config"]["lr"].as_float(), Some(lr));
    bench.refuses("train --resume number --epochs 4 --lr auto", 2, &["--lr", "keeps its settings"]);
}

#[test]
fn where_there_is_nothing_to_find_it_says_so() {
    let bench = animals();
    let line = format!("train animals {MLP} --lr auto");
    bench.refuses(
        &format!("{line} --schedule one-cycle:max_lr=0.1"),
        2,
        &["--lr auto", "names its rate itself"],
    );
    bench.refuses(&format!("train animals {MLP} --lr automatic"), 2, &["give a number", "or auto"]);
}

#[test]
fn killed_runs_with_a_found_rate_end_with_the_same_bits() {
    let bench = animals();
    let options = "--lr auto --epochs 2 --batch-size 4 --checkpoint-every 1steps";
    let outcome = bench.run(&format!("verify-resume animals {MLP} {options} --kills 2 --out trial"));
    outcome.succeeds().says("IDENTICAL: 2 kills");
}
