//! `wellfit bench`.

use crate::bench::Bench;
use serde_json::Value;

/// A training step, its parts and a forward pass took time, and the rate follows from them.
#[track_caller]
fn is_measured(result: &Value, batch: f64) {
    let number = |key: &str| result[key].as_f64().unwrap_or_else(|| panic!("{key} in {result}"));
    let parts = ["forward_s", "backward_s", "optimizer_s"].map(number);
    assert!(parts.iter().all(|&seconds| seconds > 0.0), "{result}");
    assert!(number("train_step_s") > parts.into_iter().fold(0.0, f64::max), "a part of it: {result}");
    assert!(number("eval_forward_s") > 0.0, "{result}");
    assert!((number("images_per_s") * number("train_step_s") / batch - 1.0).abs() < 1e-9, "{result}");
    if cfg!(target_os = "linux") {
        assert!((1.0..4096.0).contains(&number("peak_rss_mib")), "{result}");
    }
}

/// The number in the middle of an odd count.
fn middle(samples: &Value) -> &Value {
    &samples[samples.as_array().unwrap().len() / 2]
}

#[test]
fn a_network_is_measured_and_the_medians_are_of_the_samples() {
    let bench = Bench::new();
    let line = "bench resnet18 --batch-size 2 --image-size 32 --steps 3 --threads 1 --json";
    let result = bench.run(line).succeeds().json();
    is_measured(&result, 2.0);
    for (key, value) in [("threads", 1), ("batch_size", 2), ("image_size", 32)] {
        assert_eq!(result[key], value, "{result}");
    }
    assert_eq!((&result["job"], &result["optimizer"]), (&"resnet18".into(), &"adam".into()));
    for key in ["train_step_s", "eval_forward_s"] {
        let samples = &result["samples"][key];
        assert_eq!(samples.as_array().unwrap().len(), 3);
        assert_eq!(&result[key], middle(samples), "{result}");
    }
    assert!(result.get("profile").is_none(), "only with --profile");
    assert!(bench.names(".").is_empty(), "bench leaves nothing behind");
}

#[test]
fn the_path_is_the_instruction_set_in_use() {
    let bench = Bench::new();
    let mut command = bench.command("bench mlp-bn --batch-size 4 --image-size 8 --steps 1 --json");
    let output = command.env("WELLFIT_SIMD", "scalar").output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["path"], "scalar");
}

#[test]
fn the_profile_divides_a_step_among_the_kinds_of_layers() {
    let bench = Bench::new();
    let line = "bench resnet20 --batch-size 2 --image-size 16 --steps 2 --profile --optimizer sgd --json";
    let outcome = bench.run(line).succeeds();
    outcome.complains("resnet20, batch 2 of 16×16 pixels, sgd: 2 steps");
    outcome.complains("  optimizer");
    let result = outcome.json();
    let profile = result["profile"].as_object().unwrap();
    let kinds: Vec<&str> = profile.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["conv", "linear", "loss", "norm", "optimizer", "pool"]);
    let sum = |key: &str| profile.values().map(|row| row[key].as_f64().unwrap()).sum::<f64>();
    assert!((sum("share") - 1.0).abs() < 1e-9, "{result}");
    let steps = result["samples"]["train_step_s"].as_array().unwrap();
    let mean = steps.iter().map(|step| step.as_f64().unwrap()).sum::<f64>() / steps.len() as f64;
    let seen = sum("forward_s") + sum("backward_s");
    assert!(seen > 0.5 * mean && seen <= mean, "the kinds make up the step: {result}");
}

#[test]
fn the_profile_tells_what_threads_do() {
    let bench = Bench::new();
    let line = "bench resnet20 --batch-size 32 --image-size 28 --steps 2 --threads 1 --profile --json";
    let outcome = bench.run(line).succeeds();
    outcome.complains("Products run at ");
    let result = outcome.json();
    let threads = result["threads_profile"].as_object().unwrap();
    let share = |kind: &str| threads[kind]["share"].as_f64().unwrap();
    let kinds = ["products", "packing", "transforms", "elementwise", "idle"];
    assert!(kinds.iter().all(|kind| share(kind) > 0.0), "each takes part: {result}");
    assert!((kinds.map(share).iter().sum::<f64>() - 1.0).abs() < 1e-9, "{result}");
    assert!(share("products") > share("packing"), "{result}");
    let [rate, limit] = ["gflops", "limit_gflops"].map(|key| threads["products"][key].as_f64().unwrap());
    assert!(rate > 0.0 && limit > 0.0, "{result}");
    // The multiply-adds are counted, not guessed: twice the pictures, twice the work in about twice the time.
    let seconds = |kind: &str| threads[kind]["seconds"].as_f64().unwrap();
    let one = rate * seconds("products");
    let twice = bench.run(&line.replace("32 --image", "64 --image")).succeeds().json();
    let twice = &twice["threads_profile"]["products"];
    let ratio = twice["gflops"].as_f64().unwrap() * twice["seconds"].as_f64().unwrap() / one;
    assert!((1.9..2.1).contains(&ratio), "{ratio}");
}

#[test]
fn the_labs_twins_are_measured_together() {
    let bench = Bench::new();
    let result = bench.run("bench mlp --batch-size 8 --steps 3 --json").succeeds().json();
    is_measured(&result, 8.0);
    assert_eq!((&result["image_size"], &result["optimizer"]), (&28.into(), &"sgd".into()));
    let profile = bench.run("bench mlp --batch-size 8 --steps 1 --profile --json").succeeds().json();
    assert!(profile["profile"]["norm"].is_object(), "the twin with BatchNorm takes part: {profile}");
    let outcome = bench.run("bench dropout --steps 3 --profile --json").succeeds();
    outcome.complains("points a second");
    let result = outcome.json();
    is_measured(&result, 50.0);
    assert_eq!(result["image_size"], Value::Null);
    assert!(result["profile"]["dropout"].is_object(), "{result}");
}

#[test]
fn people_get_a_table() {
    let bench = Bench::new();
    let outcome = bench.run("bench mlp --batch-size 8 --steps 2").succeeds();
    let outcome = outcome.says("median").says("training step").says("  optimizer").says("images a second");
    if cfg!(target_os = "linux") {
        outcome.says("peak memory");
    }
}

#[test]
fn the_loader_is_measured_on_files_of_its_own_and_on_a_folder() {
    let bench = Bench::new();
    let line = "bench loader --batch-size 1 --image-size 16 --steps 1 --json";
    let own = bench.run(line).succeeds().json();
    assert_eq!((&own["images"], &own["workers"]), (&8.into(), &2.into()));
    bench.animals();
    let line = "bench loader --data animals --batch-size 4 --image-size 16 --steps 3 --workers 1 --json";
    let given = bench.run(line).succeeds().json();
    assert_eq!((&given["images"], &given["workers"]), (&16.into(), &1.into()));
    assert_eq!(&given["images_per_s"], middle(&given["samples"]["images_per_s"]));
    for result in [own, given] {
        assert!(result["images_per_s"].as_f64().unwrap() > 0.0, "{result}");
        assert!(result["train_step_s"].is_null() && result["eval_forward_s"].is_null(), "{result}");
    }
    assert_eq!(bench.names("."), ["animals"]);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let bench = Bench::new();
    for (line, part) in [
        ("resnet51", "there is nothing called `resnet51` to measure; known are loader, dropout, mlp,"),
        ("resnet18 --steps 0", "--steps must be between 1 and"),
        ("resnet18 --batch-size 0", "--batch-size must be between 1 and"),
        ("resnet18 --batch-size 1 --image-size 16 --steps 1", "BatchNorm"),
        ("resnet18 --image-size 5000", "--image-size must be between 1 and 4096"),
        ("resnet18 --data photos", "--data and --workers belong to `bench loader`"),
        ("mlp --workers 2", "--data and --workers belong to `bench loader`"),
        ("dropout --image-size 28", "--image-size: the dropout lab learns a line"),
        ("loader --profile", "--optimizer, --device and --profile belong to networks"),
        ("loader --device cuda", "--optimizer, --device and --profile belong to networks"),
        ("loader --workers 5000", "--workers must be at most 1024"),
        ("loader --batch-size 5000", "needs 40000 pictures: give a folder"),
    ] {
        bench.refuses(&format!("bench {line}"), 2, &[part]);
    }
    bench.refuses("bench loader --data nowhere", 3, &["nowhere"]);
    if cfg!(target_os = "linux") {
        let parts = ["training resnet18 in batches of 900000 takes about", "take a smaller --batch-size"];
        bench.refuses("bench resnet18 --batch-size 900000", 2, &parts);
    }
}
