//! `wellfit check`, and the same warnings before training.

use crate::bench::{Bench, Outcome};
use crate::material::{MLP, RESNET, picture};
use serde_json::Value;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// The names of what `check` warns of.
#[track_caller]
fn found(bench: &Bench, line: &str) -> Vec<String> {
    let result = bench.run(&format!("--json check {line}")).succeeds().json();
    let warnings = result["warnings"].as_array().unwrap();
    let name = |warning: &Value| warning["name"].as_str().unwrap().to_owned();
    assert!(
        warnings.iter().all(|warning| result["looked_for"].as_array().unwrap().contains(&warning["name"]))
    );
    warnings.iter().map(name).collect()
}

#[test]
fn settings_that_work_pass_in_silence() {
    let bench = animals();
    assert!(found(&bench, &format!("animals {MLP}")).is_empty());
    bench.run(&format!("check animals {MLP} --strict")).succeeds().says("Nothing found");
    assert_eq!(bench.names("."), ["animals"], "nothing is written");
}

#[test]
fn each_setting_that_cannot_work_is_named() {
    let bench = animals();
    for (options, name) in [
        ("--early-stopping --lr-scheduler --epochs 40", "early-stopping-precludes-plateau"),
        ("--patience 6 --lr-scheduler --epochs 40", "plateau-too-late"),
        ("--patience 10 --epochs 10", "patience-too-long"),
        ("--lr-patience 30 --epochs 10", "lr-patience-too-long"),
        ("--min-lr 0.001 --lr 0.001 --epochs 40", "min-lr-above-lr"),
        ("--optimizer adam --lr 0.5", "lr-out-of-range"),
        ("--optimizer adamw --lr 1e-6", "lr-out-of-range"),
        ("--optimizer sgd --momentum 0 --lr 0.0001", "lr-out-of-range"),
        ("--schedule step:step_size=30 --epochs 10", "schedule-never-acts"),
        ("--schedule multi-step:milestones=[5,30] --epochs 10", "milestones-beyond-end"),
        ("--schedule cosine:t_max=5 --epochs 10", "schedule-rises-again"),
        ("--schedule cosine:t_max=50 --epochs 10", "schedule-unfinished"),
        ("--schedule linear-warmup:total_iters=20 --epochs 10", "warmup-too-long"),
        ("--batch-size 64 --epochs 10", "one-step-epochs"),
        ("--freeze", "freeze-without-weights"),
    ] {
        let batches = if options.contains("--batch-size") { "" } else { "--batch-size 4" };
        let of = found(&bench, &format!("animals {MLP} {batches} {options}"));
        assert_eq!(of, [name], "{options}");
    }
    assert_eq!(found(&bench, &format!("animals {RESNET} --batch-size 4")), ["small-batches"]);
    let small = "animals --model resnet18 --image-size 32 --batch-size 8";
    assert_eq!(found(&bench, small), ["images-too-small"]);
}

#[test]
fn images_that_are_in_two_parts_and_classes_without_any_are_named() {
    let bench = Bench::new();
    bench.pictures("data/train", &["cat", "dog", "eel"], 0..6);
    bench.pictures("data/val", &["cat", "dog"], 6..9);
    bench.pictures("data/test", &["cat", "dog"], 6..9);
    let names = found(&bench, &format!("data {MLP}"));
    assert_eq!(names, ["class-without-validation", "validation-is-test"]);
    bench.write("data/val/eel/6.png", picture(2, 6));
    bench.pictures("data/val", &["cat"], 0..2);
    assert_eq!(found(&bench, &format!("data {MLP}")), ["shared-images", "validation-is-test"]);
}

/// IDX images have no files whose hashes are known: they are compared in memory.
#[test]
fn images_in_memory_are_compared_too() {
    let bench = Bench::new();
    bench.digits("digits", 60, 20);
    assert!(found(&bench, "digits --model mlp").is_empty());
    let name = |part: &str, kind: &str| format!("digits/{part}-{kind}");
    for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte"] {
        bench.write(&name("t10k", kind), bench.bytes(&name("train", kind)));
    }
    let result = bench.run("--json check digits --model mlp").succeeds().json();
    let shared = &result["warnings"][0];
    assert_eq!(shared["name"], "shared-images");
    assert!(shared["values"]["images"].as_f64() == Some(60.0), "{shared}");
}

/// Pixels at a thousand times the scale that the network expects make it sure of wrong answers.
#[test]
fn a_first_loss_far_above_knowing_nothing_is_named() {
    let bench = animals();
    let mut network = bench.weights("loud.safetensors", "mlp", 2);
    let head = network.parameters.len() - 2;
    network.parameters[head].value.iter_mut().for_each(|weight| *weight *= 1e4);
    wellfit::weights::write_safetensors(&bench.path("loud.safetensors"), &network.state()).unwrap();
    let line = format!("animals {MLP} --weights loud.safetensors --recipe textbook");
    let result = bench.run(&format!("--json check {line}")).succeeds().json();
    let first = &result["warnings"][0];
    assert_eq!(first["name"], "first-loss-too-high", "{result}");
    let values = &first["values"];
    assert!(values["loss"].as_f64() > Some(1.5 * 2.0_f64.ln()));
    assert!((values["entropy"].as_f64().unwrap() - 2.0_f64.ln()).abs() < 1e-9, "{values}");
}

fn warned(outcome: Outcome) -> Outcome {
    outcome
        .warns("with --patience 5 and --lr-patience 5, early stopping ends a stalled run before")
        .warns("the scheduler can never act; give early stopping more patience, such as --patience 12")
}

#[test]
fn strict_is_code_2_and_training_warns_of_the_same() {
    let bench = animals();
    let line = format!("animals {MLP} --batch-size 4 --early-stopping --lr-scheduler --epochs 8");
    warned(bench.run(&format!("check {line}")).succeeds());
    warned(bench.run(&format!("check {line} --strict")).exits(2))
        .complains("1 warning, and --strict was given");
    warned(bench.run(&format!("train {line} --out run")).succeeds());
    // What is refused is an error of both.
    bench.refuses(&format!("check animals {MLP} --label-smoothing 1"), 2, &["--label-smoothing"]);
    bench.refuses(&format!("check animals {MLP} --monitor nothing"), 2, &["--monitor"]);
    bench.refuses(&format!("check animals {MLP} --swa-start 9 --epochs 5"), 2, &["--swa-start"]);
    bench.refuses("check nowhere", 3, &["nowhere"]);
}

#[test]
fn a_cross_validation_is_checked_by_one_fold() {
    let bench = animals();
    assert!(found(&bench, &format!("animals {MLP} --folds 4 --batch-size 4")).is_empty());
}
