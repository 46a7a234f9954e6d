//! `prove`: what both arms of a pair do alike is trained once, and comes to the same bits as two whole runs.

use crate::bench::Bench;
use serde_json::Value;

const OPTIONS: &str = "--model mlp --image-size 16 --batch-size 4";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// What a run measured in each epoch, to the bit, without what depends on the clock.
fn figures(bench: &Bench, run: &str) -> Vec<Value> {
    let mut epochs = bench.events(run, "epoch");
    let clock = ["seconds", "train_seconds", "val_seconds", "data_wait_seconds", "images_per_second"];
    for epoch in &mut epochs {
        clock.iter().for_each(|key| drop(epoch.as_object_mut().unwrap().remove(*key)));
    }
    epochs
}

/// Train the run of an arm as a whole, with the settings that its `run.toml` has, and compare everything that training makes.
pub fn is_a_whole_run(bench: &Bench, run: &str) {
    let whole = format!("whole-{}", run.replace('/', "-"));
    bench.run(&format!("train animals --config {run} --out {whole}")).succeeds();
    assert!(
        bench.bytes(&format!("{run}/model.safetensors"))
            == bench.bytes(&format!("{whole}/model.safetensors")),
        "{run}"
    );
    assert_eq!(figures(bench, run), figures(bench, &whole), "{run}");
    for kind in ["answers", "early_stopping_counter", "lr_change"] {
        assert_eq!(bench.events(run, kind), bench.events(&whole, kind), "{run}: {kind}");
    }
    let mut stops = [run, &whole].map(|run| bench.events(run, "stop"));
    stops.iter_mut().flatten().for_each(|stop| stop["time"] = Value::Null);
    assert_eq!(stops[0], stops[1], "{run}");
    assert!(
        bench.text(&format!("{run}/steps.jsonl")) == bench.text(&format!("{whole}/steps.jsonl")),
        "{run}"
    );
}

pub fn branched_after(bench: &Bench, run: &str) -> Option<u64> {
    bench.events(run, "branched").first().map(|event| event["epoch"].as_u64().unwrap())
}

#[test]
fn policies_are_read_off_the_baseline_or_begin_where_they_act() {
    let bench = animals();
    // A rate so large that the loss soon rises: both policies act.
    let line = format!(
        "prove animals {OPTIONS} --epochs 10 --lr 0.03 --technique patience=2 --technique lr-patience=0 --out t"
    );
    bench.run(&line).succeeds().says("are common to both arms of a pair and were trained once");
    let (mut stopped, mut lowered) = (0, 0);
    for seed in 0..7 {
        let run = format!("t/pair-{seed}/1-patience-2");
        let epochs = figures(&bench, &run).len() as u64;
        // Nothing is trained for it.
        assert_eq!(branched_after(&bench, &run), Some(epochs), "{run}");
        stopped += u32::from(epochs < 10);
        let run = format!("t/pair-{seed}/2-lr-patience-0");
        let first = bench.events(&run, "lr_change").first().map(|event| event["epoch"].as_u64().unwrap());
        assert_eq!(branched_after(&bench, &run), Some(first.unwrap_or(10)), "{run}");
        lowered += u32::from(first.is_some_and(|epoch| epoch < 10));
        let kept =
            bench.names(&format!("t/pair-{seed}")).into_iter().filter(|name| name.starts_with("epoch-"));
        assert_eq!(kept.count(), 0, "what the runs began from is gone");
    }
    assert!(stopped > 0 && lowered > 0, "{stopped} stopped early, {lowered} lowered their rate");
    for seed in [0, 5] {
        for arm in ["baseline", "1-patience-2", "2-lr-patience-0"] {
            is_a_whole_run(&bench, &format!("t/pair-{seed}/{arm}"));
        }
    }
}

#[test]
fn schedules_share_what_is_before_their_first_other_rate() {
    let bench = animals();
    let line = format!(
        "prove animals {OPTIONS} --epochs 5 --technique step:step_size=3 --technique epochs=7 --technique lr=0.01 --out t"
    );
    bench.run(&line).succeeds();
    for (arm, epochs) in [("1-step-step_size-3", Some(3)), ("2-epochs-7", Some(5)), ("3-lr-0.01", None)] {
        let run = format!("t/pair-1/{arm}");
        assert_eq!(branched_after(&bench, &run), epochs, "{run}");
        is_a_whole_run(&bench, &run);
    }
}

#[test]
fn a_technique_that_begins_late_is_a_change_in_the_middle_of_a_run() {
    let bench = animals();
    let line = format!("{OPTIONS} --epochs 4 --lr 0.001");
    let late = format!("prove animals {line} --technique lr=0.0001 --treat-at 3 --out t");
    bench.run(&late).succeeds();
    assert_eq!(branched_after(&bench, "t/pair-2/1-lr-0.0001"), Some(2));
    // The same rates as a schedule gives.
    let schedule = "--schedule step:step_size=2,gamma=0.1 --seed 2 --split-seed 0 --record-answers";
    bench.run(&format!("train animals {line} {schedule} --out whole")).succeeds();
    let weights =
        ["t/pair-2/1-lr-0.0001", "whole"].map(|run| bench.bytes(&format!("{run}/model.safetensors")));
    assert!(weights[0] == weights[1]);
    assert_eq!(figures(&bench, "t/pair-2/1-lr-0.0001"), figures(&bench, "whole"));
    let refused = format!("prove animals {line} --technique model=mlp-bn --treat-at 3 --out u");
    bench.refuses(&refused, 2, &["model=mlp-bn", "in the middle of a run", "--model"]);
}

#[test]
fn a_run_is_a_baseline() {
    let bench = animals();
    bench.run(&format!("train animals {OPTIONS} --epochs 3 --lr 0.02 --seed 7 --out first")).succeeds();
    bench.run("prove first --technique early-stopping --out t").succeeds();
    let plan = bench.toml("t/trial.toml");
    assert_eq!(plan["first_seed"].as_integer(), Some(7));
    let baseline = plan["baseline"].as_table().unwrap();
    assert_eq!((baseline["lr"].as_str(), baseline["epochs"].as_str()), (Some("0.02"), Some("3")));
    // Its first pair has the run itself.
    assert!(bench.bytes("first/model.safetensors") == bench.bytes("t/pair-7/baseline/model.safetensors"));
    // Settings that the run has because they are the defaults are not in the way of a recipe.
    bench.run("prove first --technique scratch --epochs 1 --out u").succeeds();
    let recipe = bench.toml("u/pair-7/scratch/run.toml");
    assert_eq!(recipe["config"]["recipe"].as_str(), Some("scratch"));
    assert_ne!(recipe["config"]["optimizer"], bench.toml("first/run.toml")["config"]["optimizer"]);
}
