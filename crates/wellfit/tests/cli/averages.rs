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
