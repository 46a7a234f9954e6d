//! Early stopping, the learning-rate scheduler, checkpoints, freezing: what they do to a run.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};
use std::collections::BTreeMap;
use wellfit::weights::{Array, read};

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// An improvement of 100 nats never comes, so early stopping counts every epoch after the first.
const NEVER_IMPROVES: &str = "--min-delta 100";
/// A rate so low that nothing changes by the scheduler's threshold of 0.01 %.
const STALLS: &str = "--optimizer sgd --lr 4e-6";

#[test]
fn early_stopping_counts_and_stops() {
    let bench = animals();
    let options = format!("--epochs 9 --early-stopping --patience 2 {NEVER_IMPROVES} --out run --json");
    let outcome = bench.run(&format!("train animals {MLP} {options}")).succeeds();
    for k in 1..=2 {
        outcome.complains(&format!("EarlyStopping counter: {k} out of 2"));
    }
    let result = outcome.json();
    assert_eq!((&result["epochs"], &result["stop_reason"]), (&3.into(), &"early_stopping".into()));
    let counters: Vec<_> = bench.events("run", "early_stopping_counter");
    assert_eq!(counters.iter().map(|event| event["counter"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    for name in ["accuracy.png", "loss.png", "model.safetensors"] {
        assert!(bench.has(&format!("run/{name}")), "{name}: names do not depend on the settings");
    }
}

#[test]
fn early_stopping_is_off_unless_asked_for() {
    let bench = animals();
    let outcome = bench.run(&format!("train animals {MLP} --epochs 4 --monitor val_loss"));
    outcome.succeeds().says("Epoch 4 of 4").never_says("EarlyStopping counter");
    let off = format!("train animals {MLP} --epochs 4 --patience 1 {NEVER_IMPROVES} --early-stopping false");
    bench.run(&off).succeeds().says("Epoch 4 of 4").never_says("EarlyStopping counter");
}

#[test]
fn an_option_of_a_policy_turns_it_on() {
    let bench = animals();
    let stops = format!("train animals {MLP} --epochs 9 {NEVER_IMPROVES}");
    for options in ["--patience 1", "--early-stopping patience=1", "--early_stopping_patience 1"] {
        bench.run(&format!("{stops} {options}")).succeeds().says("Stopped after epoch 2");
    }
    bench.run(&format!("{stops} --early-stopping 2")).succeeds().says("Stopped after epoch 3");
    bench.run(&format!("train animals {MLP} --epochs 3 --lr-patience 0 {STALLS} --out run")).succeeds();
    assert!(!bench.events("run", "lr_change").is_empty());
}

#[test]
fn the_scheduler_lowers_the_rate_of_a_stalled_run() {
    let bench = animals();
    let options = format!("--epochs 4 --lr-scheduler --lr-patience 0 {STALLS} --out run");
    bench.run(&format!("train animals {MLP} {options}")).succeeds();
    let changes = bench.events("run", "lr_change");
    let change =
        |i: usize| (changes[i]["epoch"].as_u64(), changes[i]["from"].as_f64(), changes[i]["to"].as_f64());
    assert_eq!(change(0), (Some(2), Some(4e-6), Some(2e-6)));
    assert_eq!(change(1), (Some(3), Some(2e-6), Some(1e-6)));
    assert_eq!(changes.len(), 2, "the least rate is 1e-6");
    let rates: Vec<_> =
        bench.events("run", "epoch").iter().map(|epoch| epoch["lr"].as_f64().unwrap()).collect();
    assert_eq!(rates, [4e-6, 4e-6, 2e-6, 1e-6], "a rate lowered after an epoch is that of the next");
    for name in ["accuracy.png", "loss.png", "model.safetensors"] {
        assert!(bench.has(&format!("run/{name}")), "{name}");
    }
}

#[test]
fn both_techniques_combine_and_the_names_of_the_lab_say_so() {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..6);
    bench.pictures("pets/test", &["cat", "dog"], 6..8);
    let options = format!(
        "--epochs 9 --lr-scheduler --lr-patience 0 --early-stopping --patience 3 {NEVER_IMPROVES} {STALLS}"
    );
    bench
        .run(&format!("lab transfer pets {MLP} {options} --out run"))
        .succeeds()
        .says("Stopped after epoch 4");
    assert_eq!(bench.events("run", "lr_change").len(), 2);
    for name in ["accuracy", "loss"] {
        assert!(bench.has(&format!("run/{name}_lr_scheduler_early_stopping.png")));
    }
    assert!(bench.has("run/model_lr_scheduler_early_stopping.safetensors"));
    bench.run("predict run pets/test/cat/6.png").succeeds();
}

#[test]
fn a_scheduler_that_can_never_act_is_warned_of_before_training() {
    let bench = animals();
    let both = format!("train animals {MLP} --lr-scheduler --early-stopping");
    let outcome =
        bench.run(&format!("{both} --epochs 1")).succeeds().warns("--patience 5 and --lr-patience 5");
    outcome.complains("--patience 12");
    let outcome = bench.run(&format!("{both} --patience 12 --epochs 40 --batch-size 4 --json")).succeeds();
    assert!(!outcome.to_string().contains("warning: "), "{outcome}");
}

#[test]
fn checkpoints_are_named_as_keras_names_them() {
    let bench = animals();
    let outcome = bench
        .run(&format!("train animals {MLP} --epochs 2 --checkpoint e{{epoch:02d}}.safetensors --out run"));
    outcome.succeeds().says("Epoch 1: saving model to e01.safetensors");
    assert_ne!(bench.bytes("run/e01.safetensors"), bench.bytes("run/e02.safetensors"));
    let template = "{epoch}-{val_accuracy:.2f}.safetensors";
    bench.run(&format!("train animals {MLP} --epochs 1 --checkpoint {template} --out other")).succeeds();
    let accuracy = bench.events("other", "epoch")[0]["val_accuracy"].as_f64().unwrap();
    assert!(bench.has(&format!("other/1-{accuracy:.2}.safetensors")));
}

#[test]
fn only_the_best_checkpoints_are_saved_on_request() {
    let bench = animals();
    // At this rate no answer changes, so no accuracy is better than the first.
    let options = format!(
        "--epochs 3 {STALLS} --checkpoint e{{epoch}}.safetensors --checkpoint-monitor val_accuracy \
         --save-best-only --verbose --out run"
    );
    let outcome = bench.run(&format!("train animals {MLP} {options}")).succeeds();
    outcome.says("Epoch 1: val_accuracy improved from None to").says("Epoch 3: val_accuracy did not improve");
    assert!(bench.has("run/e1.safetensors") && !bench.has("run/e2.safetensors"));
}

#[test]
fn the_model_file_holds_the_best_epoch_not_the_last() {
    let bench = animals();
    // At this rate the loss soon jumps about.
    let options = "--epochs 6 --best val_loss --optimizer sgd --lr 1000 --checkpoint e{epoch}.safetensors --out run --json";
    let result = bench.run(&format!("train animals {MLP} {options}")).succeeds().json();
    let best = result["best"]["epoch"].as_u64().unwrap();
    assert!(best < 6, "the test needs a run whose last epoch is not the best: {result}");
    let model = bench.bytes("run/model.safetensors");
    assert_eq!(model, bench.bytes(&format!("run/e{best}.safetensors")));
    assert_ne!(model, bench.bytes("run/e6.safetensors"));
}

/// The arrays of a weight file by name.
fn arrays(bench: &Bench, file: &str) -> BTreeMap<String, Array> {
    read(&bench.path(file)).unwrap().arrays.into_iter().collect()
}

#[test]
fn freezing_leaves_the_backbone_and_its_statistics_bit_for_bit() {
    let bench = animals();
    let head = bench.weights("w.safetensors", "resnet20", 5).head();
    let options = "--epochs 2 --freeze --weights w.safetensors --checkpoint e{epoch}.safetensors --out run";
    let outcome = bench.run(&format!("train animals {RESNET} {options}")).succeeds();
    outcome.says("Their head has 5 classes: replaced by a new one with 2").says("130 of them are trained");
    let (before, after) = (arrays(&bench, "w.safetensors"), arrays(&bench, "run/model.safetensors"));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, array) in before.iter().filter(|(name, _)| !name.starts_with(&head)) {
        assert_eq!(array, &after[name], "{name}");
    }
    assert!(before.keys().any(|name| name.ends_with("running_mean")), "the test sees statistics");
    let weight = format!("{head}weight");
    let [first, second] = ["run/e1.safetensors", "run/e2.safetensors"].map(|file| arrays(&bench, file));
    assert_ne!(first[&weight], second[&weight], "the head learns");
}

#[test]
fn without_freezing_weights_and_statistics_move() {
    let bench = animals();
    bench.weights("w.safetensors", "resnet20", 2);
    bench
        .run(&format!(
            "train animals {RESNET} --epochs 1 --weights w.safetensors --recipe textbook --out run"
        ))
        .succeeds();
    let (before, after) = (arrays(&bench, "w.safetensors"), arrays(&bench, "run/model.safetensors"));
    for (name, array) in &before {
        assert_ne!(array, &after[name], "{name}");
    }
}

#[test]
fn weights_of_a_run_start_another() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 3 --best val_loss --out first")).succeeds();
    let options = format!(
        "--epochs 1 {STALLS} --recipe textbook --weights first/model.safetensors --out second --json"
    );
    let second = bench.run(&format!("train animals {MLP} {options}")).succeeds().json();
    let first = bench.events("first", "epoch").into_iter().map(|epoch| epoch["val_loss"].as_f64().unwrap());
    let (best, next) = (first.fold(f64::INFINITY, f64::min), second["best"]["val_loss"].as_f64().unwrap());
    // A step at that rate changes next to nothing, so the second run begins where the first was best.
    assert!((best - next).abs() < 1e-3 * best, "{best} {next}");
}
