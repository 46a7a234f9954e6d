//! `wellfit data show`, `wellfit runs`, and the help.

use crate::bench::Bench;
use crate::material::MLP;

#[test]
fn data_show_counts_draws_and_names_suspicious_files() {
    let bench = Bench::new();
    bench.animals();
    bench.pictures("animals", &["cat"], 8..10);
    bench.write("animals/dog/bad.png", "");
    let outcome = bench.run("data show animals --images 4").succeeds();
    let outcome =
        outcome.says("train: 18 images, 2 classes").says("cat      10   55.6 %").says("suspicious files: 1");
    outcome.warns("animals/dog/bad.png: the file is empty");
    assert!(bench.bytes("animals-images.png").starts_with(b"\x89PNG"));
    let outcome = bench.run("data show animals --json --out grid.png").succeeds();
    let result = outcome.json();
    assert_eq!(result["parts"][0]["counts"], serde_json::json!([10, 8]));
    assert_eq!(result["suspicious"][0]["path"], "animals/dog/bad.png");
    assert_eq!(result["picture"], "grid.png");
}

#[test]
fn data_show_draws_what_training_would_see() {
    let bench = Bench::new();
    bench.animals();
    bench.run("data show animals --images 4 --augmented --out a.png").succeeds();
    bench.run("data show animals --images 4 --augmented --out b.png").succeeds();
    bench.run("data show animals --images 4 --augmented --seed 1 --out c.png").succeeds();
    bench.run("data show animals --images 4 --out d.png").succeeds();
    bench.run("data show animals --images 4 --augment strong --out e.png").succeeds();
    assert!(bench.bytes("a.png") == bench.bytes("b.png") && bench.bytes("a.png") != bench.bytes("e.png"));
    assert!(bench.bytes("a.png") != bench.bytes("c.png") && bench.bytes("a.png") != bench.bytes("d.png"));
}

#[test]
fn data_show_tells_the_shapes_of_idx_images() {
    let bench = Bench::new();
    bench.digits("digits", 30, 10);
    let outcome = bench.run("data show digits --images 4").succeeds();
    outcome
        .says("train: 30 images, 10 classes, each [1, 8, 8]")
        .says("a batch: shape [4, 1, 8, 8]")
        .says("test: 10 images");
    bench.run("data show digits --images 99 --force").succeeds().says("a batch: shape [30, 1, 8, 8]");
}

#[test]
fn runs_tells_why_each_stopped() {
    let bench = Bench::new();
    bench.run("runs").succeeds().says("no runs in runs");
    bench.animals();
    bench.run(&format!("train animals {MLP} --epochs 2 --quiet")).succeeds();
    let options = "--epochs 9 --early-stopping --patience 1 --min-delta 100";
    bench.run(&format!("train animals {MLP} {options} --quiet")).succeeds();
    bench.write("runs/broken/run.toml", "format = 1\n");
    bench
        .run("runs")
        .succeeds()
        .says("run            date")
        .says("  mlp  ")
        .says("0.001")
        .says("finished")
        .says("early stopping")
        .says("broken");
    let listed = bench.run("runs --json").succeeds().json();
    let runs = listed["runs"].as_array().unwrap();
    let of = |name: &str| runs.iter().find(|run| run["run"] == format!("runs/{name}")).unwrap();
    assert_eq!(
        (&of("animals-mlp-1")["state"], &of("animals-mlp-1")["epochs"]),
        (&"finished".into(), &2.into())
    );
    assert_eq!(
        (&of("animals-mlp-2")["state"], &of("animals-mlp-2")["epochs"]),
        (&"early_stopping".into(), &2.into())
    );
    assert!(of("animals-mlp-1")["best"]["val_loss"].is_number());
    let first = of("animals-mlp-1");
    assert_eq!(
        (&first["lr"], &first["seed"], &first["test_accuracy"]),
        (&0.001.into(), &0.into(), &serde_json::Value::Null)
    );
    bench.pictures("photos/train", &["cat", "dog"], 0..4);
    bench.pictures("photos/test", &["cat", "dog"], 4..6);
    let found = bench.run("evaluate runs/animals-mlp-1 photos --json").succeeds().json();
    let listed = bench.run("runs --json").succeeds().json();
    let of = |name: &str| {
        listed["runs"].as_array().unwrap().iter().find(|run| run["run"] == format!("runs/{name}")).unwrap()
    };
    assert_eq!(of("animals-mlp-1")["test_accuracy"], found["accuracy"]);
    assert!(of("broken")["problem"].as_str().unwrap().contains("runs/broken/run.toml is damaged"));
}

#[test]
fn help_names_the_exit_codes_and_every_command() {
    let bench = Bench::new();
    let outcome = bench.run("--help").succeeds();
    let commands =
        ["train", "resume", "verify-resume", "lab", "predict", "evaluate", "data", "runs", "replay"];
    let outcome = commands.iter().fold(outcome, |o, word| o.says(word));
    outcome.says("Exit codes: 0 done, 1 verify-resume found a difference, 2 wrong option");
    bench.run("--version").succeeds().says(env!("CARGO_PKG_VERSION"));
}
