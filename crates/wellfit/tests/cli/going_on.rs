//! Runs that go on after their end, and runs that are resumed by name: `resume --epochs`, `train --resume RUN`.

use crate::bench::Bench;
use crate::material::MLP;

/// An improvement of 100 nats never comes.
const NEVER_IMPROVES: &str = "--min-delta 100";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// The figures of a run's epochs, without times.
fn figures(bench: &Bench, run: &str) -> Vec<Vec<serde_json::Value>> {
    let names = ["epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"];
    bench.events(run, "epoch").iter().map(|epoch| names.map(|name| epoch[name].clone()).to_vec()).collect()
}

#[test]
fn a_finished_run_goes_on_as_if_it_had_had_more_epochs_from_the_start() {
    let bench = animals();
    let line = format!("train animals {MLP} --batch-size 3 --hflip");
    bench.run(&format!("{line} --epochs 6 --out whole")).succeeds();
    bench.run(&format!("{line} --epochs 2 --out run")).succeeds();
    bench
        .run("resume run")
        .succeeds()
        .says("run is finished after 2 epochs")
        .says("wellfit resume run --epochs 4");
    bench.refuses("resume run --epochs 1", 2, &["--epochs 1", "has trained 2 already"]);
    bench.run("resume run --epochs 2").succeeds().says("is finished");
    bench.run("resume run --epochs 4").succeeds().says("It goes on to 4 epochs").says("Epoch 4 of 4");
    let config = &bench.toml("run/run.toml")["config"];
    assert_eq!(config["epochs"].as_integer(), Some(4), "so that a plain resume knows it");
    bench.run("train --resume run --epochs 6").succeeds().says("Epoch 6 of 6");
    assert_eq!(figures(&bench, "run"), figures(&bench, "whole"));
    assert!(bench.bytes("run/model.safetensors") == bench.bytes("whole/model.safetensors"), "other weights");
    assert_eq!(bench.text("run/steps.jsonl"), bench.text("whole/steps.jsonl"));
}

#[test]
fn an_early_stopped_run_goes_on_and_counts_anew() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 9 --patience 2 {NEVER_IMPROVES} --out run");
    bench.run(&line).succeeds().says("Stopped after epoch 3");
    bench.run("resume run --epochs 9").succeeds().says("counts from 0").says("Stopped after epoch 5");
    let counters = bench.events("run", "early_stopping_counter");
    let counters: Vec<_> = counters.iter().map(|event| event["counter"].as_u64().unwrap()).collect();
    assert_eq!(counters, [1, 2, 1, 2]);
    bench.run("resume run").succeeds().says("is finished after 5 epochs");
}

#[test]
fn a_schedule_is_that_of_the_new_number_of_epochs() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 2 --schedule cosine --out run")).succeeds();
    bench.run("resume run --epochs 4").succeeds().says("as the schedule cosine has it");
    let rates: Vec<f64> =
        bench.events("run", "epoch").iter().map(|epoch| epoch["lr"].as_f64().unwrap()).collect();
    assert!(rates.len() == 4 && rates[2] > rates[3], "{rates:?}");
}

#[test]
fn a_resumed_run_keeps_its_settings() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 1 --out run")).succeeds();
    bench.refuses("train --resume run --lr 0.5", 2, &["--lr is 0.001 in run, not 0.5", "--weights run"]);
    bench.refuses("train --resume run --epochs 2 --bs 4", 2, &["--batch-size is 32 in run, not 4"]);
    bench.refuses("train --resume", 2, &["give DATA, or the run itself"]);
    // Repeating the settings, and changing what changes no results, is fine.
    let same = format!("train animals {MLP} --lr 0.001 --workers 1 --resume run --epochs 2");
    bench.run(&same).succeeds().says("Epoch 2 of 2");
}

#[test]
fn the_configuration_of_a_run_makes_the_same_run() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 2 --lr 0.01 --patience 4 --out run")).succeeds();
    for (file, out) in [("run/run.toml", "a"), ("run", "b")] {
        bench.run(&format!("train animals --config {file} --out {out}")).succeeds();
        assert_eq!(bench.toml("run/run.toml")["config"], bench.toml(&format!("{out}/run.toml"))["config"]);
        assert_eq!(figures(&bench, "run"), figures(&bench, out));
    }
    let other = "train animals --config run --lr 0.5 --out c";
    bench.run(other).succeeds();
    assert_eq!(bench.toml("c/run.toml")["config"]["lr"].as_float(), Some(0.5), "the command line wins");
}

/// A run that began with other defaults is not taken up in silence, nor passed over without a word.
#[test]
fn resume_auto_names_the_settings_that_differ() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 2");
    bench.run(&line).succeeds();
    let run = format!("runs/{}", bench.names("runs").remove(0));
    std::fs::remove_file(bench.path(&format!("{run}/model.safetensors"))).unwrap();
    let drawn =
        std::fs::metadata(bench.path(&format!("{run}/augmentation.png"))).unwrap().modified().unwrap();
    let other = bench.run(&format!("{line} --weight-decay 0.5 --optimizer sgd --resume auto")).succeeds();
    let other = other.says(&format!("{run} is an unfinished run of these data with other settings: "));
    let other = other.says("--weight-decay is ").says(" there, 0.5 here").says(" there, sgd here");
    other.says(&format!("To go on with it: wellfit resume {run}, or the same command with --"));
    bench.run(&format!("{line} --resume auto")).succeeds().says(&format!("Resuming {run} from "));
    let now = std::fs::metadata(bench.path(&format!("{run}/augmentation.png"))).unwrap().modified().unwrap();
    assert_eq!(now, drawn, "not drawn again");
}
