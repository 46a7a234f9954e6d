//! What of a pretrained network trains when, and what of it is random: `--unfreeze-every`, `--freeze`,
//! `--stochastic-depth`.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench.weights("pretrained.safetensors", "resnet20", 2);
    bench
}

/// resnet20 has three stages.
const HEAD: &str = "--weights pretrained.safetensors --recipe textbook --batch-size 4 --hflip=false --vflip=false --freeze-epochs 1";

#[test]
fn stages_join_the_head_one_after_the_other() {
    let bench = animals();
    let line = format!("train animals {RESNET} {HEAD} --epochs 6");
    let said = bench.run(&format!("{line} --unfreeze-every 2 --out run")).succeeds();
    said.says("The head trains alone in 1 epoch").says("one of 3 stages").says("all train from epoch 6 on");
    // Features of the frozen part are kept; without the cache the bits are the same.
    bench.run(&format!("{line} --unfreeze-every 2 --cache off --out uncached")).succeeds();
    assert!(bench.bytes("run/model.safetensors") == bench.bytes("uncached/model.safetensors"));
    // All at once is another run.
    bench.run(&format!("{line} --out once")).succeeds();
    assert!(bench.bytes("run/model.safetensors") != bench.bytes("once/model.safetensors"));
    // With fixed statistics and a rate of its own for the backbone, too.
    let more = "--unfreeze-every 2 --freeze-batch-norm --backbone-lr-factor 0.1";
    bench.run(&format!("{line} {more} --out fixed")).succeeds();
}

#[test]
fn killed_runs_end_with_the_same_bits_at_every_boundary() {
    let bench = animals();
    let options =
        format!("{HEAD} --unfreeze-every 1 --epochs 4 --freeze-batch-norm --checkpoint-every 1steps");
    let outcome = bench.run(&format!("verify-resume animals {RESNET} {options} --kills 4 --out trial"));
    outcome.succeeds().says("IDENTICAL: 4 kills");
}

#[test]
fn what_never_trains_is_refused() {
    let bench = animals();
    for (options, parts) in [
        ("--epochs 5", &["--unfreeze-every 2", "3 stages", "epoch 6 of 5"][..]),
        ("--epochs 9 --swa-start 4", &["--swa-start 4", "epoch 6"]),
    ] {
        bench.refuses_to_train(&format!("animals {RESNET} {HEAD} --unfreeze-every 2 {options}"), 2, parts);
    }
    for options in ["--freeze-epochs 0", "--freeze"] {
        let line = format!("animals {RESNET} --unfreeze-every 2 --epochs 9 {options}");
        bench.refuses_to_train(&line, 2, &["--unfreeze-every needs --freeze-epochs"]);
    }
}

#[test]
fn the_head_trains_alone_for_as_long_as_a_stage_unless_told_otherwise() {
    let bench = animals();
    let line = format!(
        "train animals {RESNET} --weights pretrained.safetensors --recipe textbook --unfreeze-every 1"
    );
    bench.run(&format!("{line} --epochs 4 --out run")).succeeds();
    assert_eq!(bench.toml("run/run.toml")["config"]["freeze_epochs"].as_integer(), Some(1));
}

#[test]
fn random_images_for_a_frozen_backbone_are_warned_of() {
    let bench = animals();
    let line = format!("train animals {RESNET} --weights pretrained.safetensors --freeze --epochs 1");
    let warning = "computes every image anew";
    bench.run(&format!("{line} --augment none --out none")).succeeds().never_says(warning);
    bench.run(&format!("{line} --hflip --out flips")).succeeds().never_says(warning);
    bench.run(&format!("{line} --rotation 10 --out turned")).succeeds().warns(warning);
    bench.run(&format!("{line} --rotation 10 --cache off --out off")).succeeds().never_says(warning);
}

#[test]
fn stochastic_depth_changes_training_where_there_are_blocks_to_skip() {
    let bench = animals();
    let line = format!("train animals {RESNET} --epochs 1 --batch-size 4");
    bench.run(&format!("{line} --out plain")).succeeds();
    bench.run(&format!("{line} --stochastic-depth 0 --out zero")).succeeds();
    bench.run(&format!("{line} --stochastic-depth 0.5 --out half")).succeeds();
    let losses = |run: &str| bench.events(run, "epoch")[0]["train_loss"].as_f64().unwrap();
    assert_eq!(losses("plain"), losses("zero"), "it is off by default");
    assert_ne!(losses("plain"), losses("half"));
    assert_eq!(bench.toml("half/run.toml")["config"]["stochastic_depth"].as_float(), Some(0.5));
    let refused = format!("animals {MLP} --stochastic-depth 0.5");
    bench.refuses_to_train(
        &refused,
        2,
        &["--stochastic-depth is for ResNets and EfficientNets, not for mlp"],
    );
    bench.refuses_to_train(
        &format!("animals {RESNET} --stochastic-depth 1"),
        2,
        &["--stochastic-depth", "below 1"],
    );
}
