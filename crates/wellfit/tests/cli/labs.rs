//! `wellfit lab batchnorm` and `wellfit lab dropout`.

use crate::bench::Bench;

#[test]
fn the_dropout_lab_leaves_pictures_an_animation_and_its_figures() {
    let bench = Bench::new();
    let outcome = bench.run("lab dropout --epochs 60 --seeds 2 --out lab --json").succeeds();
    outcome.complains("Network: mlp-dropout for inputs");
    let result = outcome.json();
    let loss = |value: &serde_json::Value, twin: &str| value[twin]["test_loss"].as_f64().unwrap();
    for twin in ["normal", "dropout"] {
        let seeds = [0, 1].map(|seed| loss(&result["seeds"][seed], twin));
        assert_ne!(seeds[0], seeds[1]);
        assert!((loss(&result, twin) - (seeds[0] + seeds[1]) / 2.0).abs() < 1e-12, "the mean of both seeds");
    }
    assert!(result["seconds"].as_f64().unwrap() > 0.0);
    let pictures = ["events.jsonl", "fit-0000.png", "fit-0050.png", "fit.gif", "run.toml", "steps.jsonl"];
    let names: Vec<String> = bench.names("lab").into_iter().filter(|name| name != "checkpoints").collect();
    assert_eq!(names, [&pictures[..], &["summary.txt"]].concat());
    assert!(bench.bytes("lab/fit-0050.png").starts_with(b"\x89PNG"));
    assert!(bench.bytes("lab/fit.gif").starts_with(b"GIF89a"));
    assert_eq!(bench.lines("lab/steps.jsonl").len(), 60, "of the first seed");
}

#[test]
fn the_dropout_lab_shows_overfitting_and_what_helps() {
    let bench = Bench::new();
    let result = bench.run("lab dropout --epochs 600 --seeds 3 --json --quiet").succeeds().json();
    let loss = |twin: &str| result[twin]["test_loss"].as_f64().unwrap();
    // The noise alone costs 0.09; the plain network fits it, which raises its test loss.
    assert!(loss("dropout") < loss("normal"), "{result}");
}

#[test]
fn the_batchnorm_lab_compares_twins_on_the_same_batches() {
    let bench = Bench::new();
    bench.digits("digits", 200, 50);
    let line = "lab batchnorm --data digits --epochs 3 --batch-size 20 --json --out lab";
    let outcome = bench.run(line).succeeds();
    outcome.complains("Network: mlp-bn for inputs [1, 8, 8], 10 outputs");
    outcome.complains("a batch [4, 1, 8, 8], an image [1, 8, 8]");
    let result = outcome.json();
    let loss = |twin: &str| result[twin]["loss_last20"].as_f64().unwrap();
    assert!(loss("batchnorm") < loss("normal"), "the point of the lab: {result}");
    for twin in ["normal", "batchnorm"] {
        let accuracy = result[twin]["test_accuracy"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&accuracy));
    }
    let steps = bench.lines("lab/steps.jsonl");
    assert_eq!(steps.len(), 30);
    let last = |twin: &str| {
        steps[10..].iter().map(|step| step["losses"][twin].as_f64().unwrap()).sum::<f64>() / 20.0
    };
    for twin in ["normal", "batchnorm"] {
        assert!((last(twin) - loss(twin)).abs() < 1e-12, "{twin}: the mean of the last 20 iterations");
    }
    for name in ["batch.png", "loss-epoch-1.png", "loss-epoch-3.png", "summary.txt"] {
        assert!(bench.has(&format!("lab/{name}")), "{name}");
    }
}

#[test]
fn labs_repeat_bit_for_bit_and_are_listed_among_the_runs() {
    let bench = Bench::new();
    bench.digits("digits", 40, 10);
    let batchnorm = "lab batchnorm --data digits --epochs 1 --batch-size 20 --quiet";
    for line in [batchnorm, "lab dropout --epochs 3 --quiet"] {
        bench.run(&format!("{line} --threads 1")).succeeds().keeps_silent();
        bench.run(&format!("{line} --threads 2")).succeeds().keeps_silent();
    }
    for lab in ["batchnorm", "dropout"] {
        let steps = [1, 2].map(|n| bench.text(&format!("runs/lab-{lab}-{n}/steps.jsonl")));
        assert_eq!(steps[0], steps[1], "{lab}");
    }
    let runs = bench.run("runs --json").succeeds().json()["runs"].clone();
    let listed: Vec<_> = runs.as_array().unwrap().iter().map(|run| (&run["model"], &run["state"])).collect();
    for model in ["mlp, mlp-bn", "mlp, mlp-dropout"] {
        assert_eq!(listed.iter().filter(|&&run| run == (&model.into(), &"finished".into())).count(), 2);
    }
}
