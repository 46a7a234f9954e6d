//! What a training records for its diagnosis, and what `diagnose` finds by it in real runs.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

/// The lines of that kind.
fn rows(bench: &Bench, run: &str, kind: &str) -> Vec<Value> {
    bench.lines(&format!("{run}/statistics.jsonl")).into_iter().filter(|line| line["row"] == kind).collect()
}

/// The names of the findings of a run.
fn findings(bench: &Bench, run: &str) -> Vec<String> {
    let result = bench.run(&format!("diagnose {run} --json")).succeeds().json();
    let found = result["findings"].as_array().unwrap();
    found.iter().map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn statistics_are_recorded_unless_they_are_turned_off_and_change_no_bit() {
    let bench = Bench::new();
    bench.run(&format!("train sample {MLP} --epochs 2 --label-smoothing 0.1 --out with")).succeeds();
    bench
        .run(&format!("train sample {MLP} --epochs 2 --label-smoothing 0.1 --no-statistics --out without"))
        .succeeds();
    assert!(!bench.has("without/statistics.jsonl"));
    for file in ["model.safetensors", "steps.jsonl"] {
        assert_eq!(bench.bytes(&format!("with/{file}")), bench.bytes(&format!("without/{file}")), "{file}");
    }
    let (head, steps, epochs) =
        (rows(&bench, "with", "run"), rows(&bench, "with", "step"), rows(&bench, "with", "epoch"));
    assert_eq!((head.len(), epochs.len()), (1, 2));
    assert_eq!(head[0]["layers"].as_array().unwrap().len(), 3);
    assert_eq!(steps[0]["step"], 10);
    assert!(steps.iter().all(|step| step["gradients"][0].as_f64().unwrap() > 0.0));
    let plain = epochs[1]["val_cross_entropy"].as_f64().unwrap();
    let trained = bench.events("with", "epoch")[1]["val_loss"].as_f64().unwrap();
    assert!(plain < trained, "smoothing adds to the loss: {plain} {trained}");
    bench.run("verify with").succeeds().says("statistics.jsonl");
    bench
        .run(&format!("train sample {MLP} --no-statistics --train-eval 1"))
        .exits(2)
        .complains("--train-eval");
}
