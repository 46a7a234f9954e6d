//! `--warmup`: a rise before any schedule.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// The rate of every step of a run, and of the last step of its epochs.
fn rates(bench: &Bench, run: &str) -> (Vec<f64>, Vec<f64>) {
    let of = |rows: Vec<Value>| rows.iter().map(|row| row["lr"].as_f64().unwrap()).collect();
    (of(bench.lines(&format!("{run}/steps.jsonl"))), of(bench.events(run, "epoch")))
}

/// Each within 1e-12 of the highest: torch multiplies rates from step to step, the formula does not.
fn equal(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    let highest = expected.iter().fold(0.0, |highest: f64, rate| highest.max(*rate));
    let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-12 * highest);
    assert!(near, "{found:?}, expected {expected:?}");
}

#[test]
fn the_rate_rises_step_by_step_and_the_schedule_begins_behind() {
    let bench = animals();
    let line = format!("train animals {MLP} --batch-size 3 --lr 0.01 --warmup 1");
    bench.run(&format!("{line} --epochs 2 --out run")).succeeds();
    let (steps, _) = rates(&bench, "run");
    let steps_of_epoch = steps.len() / 2;
    assert!(steps_of_epoch > 2, "{steps:?}");
    let ramp: Vec<f64> =
        (0..steps_of_epoch).map(|i| 0.01 * (0.01 + 0.99 * i as f64 / steps_of_epoch as f64)).collect();
    equal(&steps[..steps_of_epoch], &ramp);
    equal(&steps[steps_of_epoch..], &vec![0.01; steps_of_epoch]);
    // A schedule has its first rate in the first epoch behind it, and its length is what is left.
    bench.run(&format!("{line} --epochs 4 --schedule step:step_size=1,gamma=0.5 --out stepped")).succeeds();
    equal(&rates(&bench, "stepped").1[1..], &[0.01, 0.005, 0.0025]);
    bench.run(&format!("{line} --epochs 3 --schedule cosine --out cosine")).succeeds();
    let (steps, _) = rates(&bench, "cosine");
    let left = 2 * steps_of_epoch;
    let cosine: Vec<f64> =
        (0..left).map(|i| 0.005 * (1.0 + (std::f64::consts::PI * i as f64 / left as f64).cos())).collect();
    equal(&steps[steps_of_epoch..], &cosine);
}

/// As timm's plateau scheduler: it begins to count when the warm-up is over.
#[test]
fn a_plateau_scheduler_takes_over_and_does_not_count_the_warmup() {
    let bench = animals();
    // At this rate nothing improves by the ten-thousandth that counts, so every epoch that is counted is a bad one.
    let slow = "--optimizer sgd --momentum 0 --lr 1e-7 --min-lr 0 --lr-patience 1 --epochs 7";
    let line = format!("train animals {MLP} --batch-size 6 {slow}");
    bench.run(&format!("{line} --out plain")).succeeds();
    bench.run(&format!("{line} --warmup 3 --out warm")).succeeds();
    let first = |run: &str| bench.events(run, "lr_change").first().map(|event| event["epoch"].clone());
    assert_eq!(first("plain"), Some(3.into()));
    assert_eq!(first("warm"), Some(6.into()));
    equal(&rates(&bench, "warm").1[3..6], &[1e-7; 3]);
}

#[test]
fn it_begins_behind_the_epochs_of_the_head_alone() {
    let bench = animals();
    bench.weights("pretrained.safetensors", "resnet20", 3);
    let line =
        "train animals --model resnet20 --image-size 16 --weights pretrained.safetensors --recipe textbook";
    bench.run(&format!("{line} --freeze-epochs 1 --warmup 1 --epochs 3 --lr 0.01 --out run")).succeeds();
    let (_, epochs) = rates(&bench, "run");
    assert_eq!((epochs[0], epochs[2]), (0.01, 0.01));
    assert!(epochs[1] < 0.01, "{epochs:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = animals();
    for (options, parts) in [
        ("--warmup 2 --epochs 2", &["--warmup 2 must end before the 2 --epochs do"][..]),
        ("--warmup 2 --epochs 5 --schedule one-cycle", &["--warmup", "one-cycle", "both begin with a rise"]),
        ("--warmup 2 --epochs 5 --schedule linear-warmup", &["both begin with a rise"]),
        ("--warmup 3 --epochs 5 --swa-start 3", &["--swa-start 3", "ends with epoch 3"]),
        ("--warmup 0.5", &["--warmup"]),
        ("--warmup-lr 1e-5", &["--warmup"]),
    ] {
        bench.refuses_to_train(&format!("animals {MLP} {options}"), 2, parts);
    }
    // Where one-cycle would be the default, it is cosine.
    bench.digits("digits", 60, 20);
    bench.run("train digits --model mlp --epochs 2 --warmup 1 --out digital").succeeds();
    assert_eq!(bench.toml("digital/run.toml")["config"]["schedule"].as_str(), Some("cosine"));
    // So it is in a recipe.
    bench.run(&format!("train animals {MLP} --recipe scratch --epochs 2 --warmup 1 --out recipe")).succeeds();
    assert_eq!(bench.toml("recipe/run.toml")["config"]["schedule"].as_str(), Some("cosine"));
}
