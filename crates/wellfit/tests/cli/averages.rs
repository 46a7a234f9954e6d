//! Averages of weights and of gradients: `--ema`, `--accumulate`.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

#[test]
fn the_average_is_kept_in_place_of_the_last_weights() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 3 --best val_loss");
    bench.run(&format!("{line} --out plain")).succeeds();
    bench.run(&format!("{line} --ema 0.9 --out averaged")).succeeds();
    let losses = |run: &str, name: &str| -> Vec<f64> {
        bench.events(run, "epoch").iter().map(|epoch| epoch[name].as_f64().unwrap()).collect()
    };
    // Training goes the same way; what is judged differs.
    assert_eq!(losses("plain", "train_loss"), losses("averaged", "train_loss"));
    assert_ne!(losses("plain", "val_loss"), losses("averaged", "val_loss"));
    assert_eq!(bench.toml("averaged/run.toml")["config"]["ema"].as_float(), Some(0.9));
}

#[test]
fn killed_runs_with_both_end_with_the_same_bits() {
    let bench = animals();
    let options = "--epochs 2 --batch-size 3 --accumulate 2 --ema 0.9 --checkpoint-every 1steps";
    let outcome = bench.run(&format!("verify-resume animals {RESNET} {options} --kills 2 --out trial"));
    outcome.succeeds().says("IDENTICAL: 2 kills");
}

#[test]
fn weights_that_epochs_end_with_are_averaged_from_some_epoch_on() {
    let bench = animals();
    let line = format!("train animals {RESNET} --batch-size 4 --epochs 4 --lr 0.05 --schedule constant");
    bench.run(&format!("{line} --out plain")).succeeds();
    bench.run(&format!("{line} --swa-start 0.75 --out swa")).succeeds().says("From epoch 3 on").says("SWA");
    bench.run(&format!("{line} --swa-start 3 --swa-lr 0.01 --swa-anneal-epochs 0 --out slow")).succeeds();
    let of = |run: &str, name: &str| -> Vec<f64> {
        bench.events(run, "epoch").iter().map(|epoch| epoch[name].as_f64().unwrap()).collect()
    };
    assert_eq!(of("plain", "train_loss"), of("swa", "train_loss"), "training goes the same way");
    assert_eq!(of("plain", "val_loss")[..2], of("swa", "val_loss")[..2]);
    assert!(of("plain", "val_loss")[2..].iter().zip(&of("swa", "val_loss")[2..]).all(|(a, b)| a != b));
    assert_eq!(of("slow", "lr"), [0.05, 0.05, 0.01, 0.01]);
    assert_eq!(
        bench.toml("swa/run.toml")["config"]["swa_start"].as_integer(),
        Some(3),
        "fixed when it begins"
    );
    // More epochs do not move where it began.
    bench.run("resume swa --epochs 6").succeeds();
    assert_eq!(bench.toml("swa/run.toml")["config"]["swa_start"].as_integer(), Some(3));
    for (options, parts) in [
        ("--swa-start 9", &["--swa-start 9", "--epochs"][..]),
        ("--swa-start 0", &["--swa-start 0"]),
        ("--swa-start 1.5", &["a share of all epochs"]),
        ("--swa-start 2 --ema 0.9", &["--ema", "choose one"]),
        ("--swa-start 1 --freeze-epochs 2", &["--freeze-epochs"]),
        ("--swa-lr 0.1", &["--swa-lr belongs to --swa-start"]),
        ("--swa-start 2 --swa-anneal-epochs 3", &["--swa-anneal-epochs belongs to --swa-lr"]),
    ] {
        bench.refuses_to_train(&format!("animals {RESNET} --epochs 4 {options}"), 2, parts);
    }
}

#[test]
fn killed_runs_that_average_epochs_end_with_the_same_bits() {
    let bench = animals();
    let options = "--epochs 4 --batch-size 4 --swa-start 2 --swa-lr 0.02 --checkpoint-every 1steps";
    let outcome = bench.run(&format!("verify-resume animals {RESNET} {options} --kills 3 --out trial"));
    outcome.succeeds().says("IDENTICAL: 3 kills");
}
