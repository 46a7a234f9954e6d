//! `prove`: pairs of runs, verdicts, trials that are cut off or shared.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

/// Small enough for many runs, with pictures of two classes.
const LINE: &str = "prove animals --model mlp --image-size 16 --epochs 2 --batch-size 4";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// The trial's result as its file has it.
fn result(bench: &Bench, trial: &str) -> Value {
    serde_json::from_str(&bench.text(&format!("{trial}/trial.json"))).unwrap()
}

#[test]
fn a_trial_has_its_plan_its_runs_and_its_verdicts() {
    let bench = animals();
    let line = format!("{LINE} --technique hflip --technique lr=0.1 --out t");
    bench.run(&line).succeeds().says("Pair 7 of 7, lr=0.1").says("hflip: ");
    // Two techniques together need seven pairs.
    let found = result(&bench, "t");
    assert_eq!((&found["trial"], &found["pairs"]), (&"t".into(), &7.into()));
    let techniques = found["techniques"].as_array().unwrap();
    let names: Vec<&str> = techniques.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hflip", "lr=0.1"]);
    for one in techniques {
        for key in
            ["verdict", "mean_difference", "interval", "interval_new_images", "p", "e", "more_seeds", "cost"]
        {
            assert!(one.get(key).is_some(), "{key} in {one}");
        }
    }
    let plan = bench.toml("t/trial.toml");
    assert_eq!(plan["seeds"].as_integer(), Some(7));
    // All runs are judged on the same images, each pair has its seed.
    for (seed, arm) in [(0, "baseline"), (6, "hflip"), (6, "2-lr-0.1")] {
        let run = bench.toml(&format!("t/pair-{seed}/{arm}/run.toml"));
        assert_eq!(run["config"]["seed"].as_integer(), Some(seed), "{arm}");
        assert_eq!(run["config"]["split_seed"].as_integer(), Some(0), "{arm}");
    }
    for picture in ["differences.png", "differences.svg"] {
        assert!(bench.bytes(&format!("t/{picture}")).len() > 1000, "{picture}");
    }
    bench.refuses(&line, 5, &["t holds a trial already", "--resume auto"]);
    bench.refuses(&format!("{line} --resume auto --delta 0.1"), 2, &["another plan", "trial.toml"]);
    // Nothing is trained again.
    bench.run(&format!("{line} --resume auto")).succeeds();
    assert_eq!(result(&bench, "t"), found);
}

#[test]
fn a_technique_that_the_baseline_has_gives_identical_bits() {
    let bench = animals();
    bench.run(&format!("{LINE} --technique epochs=2 --out t")).succeeds().says("same to the bit");
    let found = result(&bench, "t");
    assert_eq!(found["techniques"][0]["verdict"], "identical-bits");
    assert_eq!(found["techniques"][0]["images"]["fixed"], 0);
}

#[test]
fn a_trial_that_was_cut_off_ends_the_same() {
    let bench = animals();
    let line = format!("{LINE} --technique batch-norm --resume auto");
    bench.run(&format!("{line} --out whole")).succeeds();
    bench.run(&format!("{line} --out cut")).succeeds();
    // As if it had been killed while one arm was being finished, and before others were begun.
    for lost in ["pair-4/batch-norm", "pair-5"] {
        std::fs::remove_dir_all(bench.path(&format!("cut/{lost}"))).unwrap();
    }
    for lost in ["pair-3/batch-norm/model.safetensors", "trial.json"] {
        std::fs::remove_file(bench.path(&format!("cut/{lost}"))).unwrap();
    }
    bench.run(&format!("{line} --out cut")).succeeds();
    let [whole, cut] = ["whole", "cut"].map(|name| {
        let mut found = result(&bench, name);
        found["trial"] = Value::Null;
        found["techniques"][0]["cost"]["seconds"] = Value::Null;
        found
    });
    assert_eq!(whole, cut);
    for seed in 0..6 {
        for arm in ["baseline", "batch-norm"] {
            let [one, other] = ["whole", "cut"]
                .map(|trial| bench.bytes(&format!("{trial}/pair-{seed}/{arm}/model.safetensors")));
            assert!(one == other, "{seed} {arm}");
        }
    }
}

#[test]
fn two_configurations_are_compared() {
    let bench = animals();
    bench.write("slow.toml", b"lr = 0.0001\n");
    bench.write("fast.toml", b"lr = 0.01\nvflip = true\n");
    bench.run(&format!("{LINE} --a slow.toml --b fast.toml --out t")).succeeds();
    let plan = bench.toml("t/trial.toml");
    assert_eq!(plan["baseline"]["lr"].as_str(), Some("0.0001"));
    let settings = &plan["techniques"][0]["settings"];
    assert_eq!((settings["lr"].as_str(), settings["vflip"].as_str()), (Some("0.01"), Some("true")));
}

#[test]
fn what_cannot_be_a_trial_is_refused_before_anything_is_written() {
    let bench = animals();
    for (options, parts) in [
        ("--technique magic", &["no technique", "early-stopping"][..]),
        ("--technique hflip --seeds 5", &["seeds = 5", "6 to"]),
        ("--technique hflip --metric loss", &["metric", "val_loss"]),
        ("--technique hflip --delta 0", &["delta"]),
        ("--technique hflip --technique hflip", &["no other technique has"]),
        ("--technique hflip --time 10s", &["--time", "--epochs"]),
        ("--technique hflip --folds 3", &["--folds"]),
    ] {
        bench.refuses(&format!("prove animals {MLP} {options} --out t"), 2, parts);
        assert!(!bench.path("t").exists(), "{options}");
    }
}

/// One fold is an arm like any other: its validation images are the fold's.
#[test]
fn a_fold_is_a_baseline() {
    let bench = animals();
    bench.run(&format!("{LINE} --folds 3 --fold 2 --technique lr=0.1 --out t")).succeeds();
    assert_eq!(result(&bench, "t")["pairs"], 6);
    for arm in ["baseline", "1-lr-0.1"] {
        let run = bench.toml(&format!("t/pair-3/{arm}/run.toml"));
        assert_eq!(
            (run["config"]["folds"].as_integer(), run["config"]["fold"].as_integer()),
            (Some(3), Some(2)),
            "{arm}"
        );
    }
}
