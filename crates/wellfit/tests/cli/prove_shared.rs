//! `prove`: trials that are killed, shared between processes, audited, looked at, factorial.

use crate::bench::Bench;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const LINE: &str = "prove animals --model mlp --image-size 16 --batch-size 4 --epochs 6 --lr 0.03 \
                    --technique lr-patience=0 --technique hflip --resume auto";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// A trial's result without its place and its times, and the weights of all its runs.
fn left(bench: &Bench, trial: &str) -> (Value, Vec<Vec<u8>>) {
    let mut found: Value = serde_json::from_str(&bench.text(&format!("{trial}/trial.json"))).unwrap();
    found["trial"] = Value::Null;
    found["techniques"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|one| one["cost"]["seconds"] = Value::Null);
    let runs = (0..7)
        .flat_map(|seed| ["baseline", "1-lr-patience-0", "hflip"].map(|arm| format!("pair-{seed}/{arm}")));
    (found, runs.map(|run| bench.bytes(&format!("{trial}/{run}/model.safetensors"))).collect())
}

/// Kill it (SIGKILL) so many times at moments that differ, going on each time; `WELLFIT_PROVE_KILLS` asks for more.
#[test]
fn a_trial_that_is_killed_again_and_again_ends_the_same() {
    let bench = animals();
    bench.run(&format!("{LINE} --out whole")).succeeds();
    let asked = std::env::var("WELLFIT_PROVE_KILLS").ok().and_then(|kills| kills.parse().ok());
    let kills: u64 = asked.unwrap_or(6);
    let line = format!("{LINE} --out cut");
    let (mut killed, mut rounds) = (0, 0);
    while killed < kills {
        let mut child = bench.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // 30 to 700 ms, spread by a multiplicative sequence.
        let wait = 30 + (rounds * 2_654_435_761_u64 % 671);
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        killed += u64::from(!child.wait().unwrap().success());
        rounds += 1;
        if bench.has("cut/trial.json") && killed < kills {
            // It is done: begin the second half of it anew.
            for seed in 3..7 {
                std::fs::remove_dir_all(bench.path(&format!("cut/pair-{seed}"))).unwrap();
            }
            std::fs::remove_file(bench.path("cut/trial.json")).unwrap();
        }
    }
    bench.run(&line).succeeds();
    assert!(left(&bench, "whole") == left(&bench, "cut"));
}

#[test]
fn processes_share_a_trial_and_do_no_pair_twice() {
    let bench = animals();
    bench.run(&format!("{LINE} --out whole")).succeeds();
    let start = || {
        let mut command = bench.command(&format!("{LINE} --out shared"));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    for mut child in [start(), start(), start()] {
        assert!(child.wait().unwrap().success());
    }
    assert!(left(&bench, "whole") == left(&bench, "shared"));
    bench.run(&format!("{LINE} --out jobs --jobs 3")).succeeds();
    assert!(left(&bench, "whole") == left(&bench, "jobs"));
    for trial in ["shared", "jobs"] {
        for seed in 0..7 {
            for arm in ["baseline", "1-lr-patience-0", "hflip"] {
                let run = format!("{trial}/pair-{seed}/{arm}");
                // A run that another process had trained, too, would have begun twice or gone on.
                assert_eq!(bench.events(&run, "start").len(), 1, "{run}");
                let resumed = bench.events(&run, "resumed").len();
                assert_eq!(resumed, bench.events(&run, "branched").len(), "{run}");
                assert_eq!(bench.events(&run, "stop").len(), 1, "{run}");
            }
        }
    }
}

#[test]
fn a_pair_is_audited() {
    let bench = animals();
    bench.run(&format!("{LINE} --out t")).succeeds();
    let outcome = bench.run("prove --audit t --json").succeeds();
    let found = outcome.json();
    assert_eq!(found["same"], true);
    assert_eq!(found["runs"].as_array().unwrap().len(), 2);
    assert_eq!(found["runs"][0]["sha256"], found["runs"][0]["sha256_now"]);
    assert!(bench.has("t/audit-1/trial.toml"));
    // A trial that claims other weights than its settings give is found out.
    for seed in 0..7 {
        for arm in ["baseline", "1-lr-patience-0", "hflip"] {
            let run = format!("t/pair-{seed}/{arm}");
            let text = bench.text(&format!("{run}/run.toml"));
            bench.write(&format!("{run}/run.toml"), text.replace("lr = 0.03", "lr = 0.04"));
        }
    }
    let plan = bench.text("t/trial.toml");
    bench.write("t/trial.toml", plan.replace("lr = \"0.03\"", "lr = \"0.04\""));
    bench.run("prove --audit t").exits(1).says("DIFFERENT");
    bench.refuses("prove --audit animals", 2, &["no trial"]);
}

/// What was taken over from the baseline is trained, too.
#[test]
fn a_pair_whose_runs_part_late_is_audited_as_two_whole_runs() {
    let bench = animals();
    let line =
        "prove animals --model mlp --image-size 16 --batch-size 4 --epochs 3 --technique epochs=4 --out t";
    bench.run(line).succeeds();
    assert_eq!(bench.events("t/pair-0/1-epochs-4", "branched")[0]["epoch"], 3);
    let found = bench.run("prove --audit t --json").succeeds().json();
    assert_eq!(found["same"], true, "{found:#}");
    let seed = &found["seed"];
    let treated = format!("t/audit-1/pair-{seed}/1-epochs-4");
    assert_eq!((bench.events(&treated, "branched").len(), bench.events(&treated, "epoch").len()), (0, 4));
    assert_eq!(found["runs"][1]["same_figures"], true);
}

#[test]
fn combinations_are_judged_by_their_effects() {
    let bench = animals();
    let line = "prove animals --model mlp --image-size 16 --batch-size 4 --epochs 2 --technique hflip --technique lr=0.01 \
                --factorial --out t";
    bench.run(line).succeeds().says("hflip × lr=0.01");
    let found: Value = serde_json::from_str(&bench.text("t/trial.json")).unwrap();
    let techniques = found["techniques"].as_array().unwrap();
    assert_eq!(techniques.len(), 3);
    assert_eq!(bench.toml("t/trial.toml")["contrasts"].as_array().unwrap().len(), 3);
    let pairs = found["pairs"].as_u64().unwrap();
    // The main effect of the first technique, from the four runs of the seed.
    let value = |arm: &str| -> f64 {
        let right = |line: Value| {
            let digits = line["right"].as_str().unwrap().to_owned();
            let bits = digits.chars().flat_map(|digit| {
                let four = digit.to_digit(16).unwrap();
                (0..4).map(move |place| four & (8 >> place) != 0)
            });
            bits.take(line["images"].as_u64().unwrap() as usize).collect::<Vec<bool>>()
        };
        let epochs: Vec<Vec<bool>> =
            bench.events(&format!("t/pair-0/{arm}"), "answers").into_iter().map(right).collect();
        let sum =
            |epoch: &[bool], half: usize| epoch.iter().skip(half).step_by(2).filter(|right| **right).count();
        let best = |half: usize| {
            (1..epochs.len()).fold(0, |best, next| {
                if sum(&epochs[next], half) > sum(&epochs[best], half) { next } else { best }
            })
        };
        (sum(&epochs[best(1)], 0) + sum(&epochs[best(0)], 1)) as f64 / epochs[0].len() as f64
    };
    let [none, flip, rate, both] = ["baseline", "hflip", "2-lr-0.01", "hflip+2-lr-0.01"].map(value);
    let first = &techniques[0]["results"][0];
    let effect = first["treated"].as_f64().unwrap() - first["baseline"].as_f64().unwrap();
    assert!((effect - (flip + both - none - rate) / 2.0).abs() < 1e-12, "{effect}");
    let third = &techniques[2]["results"][0];
    let interaction = third["treated"].as_f64().unwrap() - third["baseline"].as_f64().unwrap();
    assert!((interaction - (both + none - flip - rate) / 2.0).abs() < 1e-12, "{interaction}");
    assert!(pairs >= 7, "{pairs}");
}

#[test]
fn looks_at_the_test_part_are_counted() {
    let bench = Bench::new();
    bench.digits("digits", 120, 60);
    let line = "prove digits --model mlp --epochs 2 --batch-size 20 --technique hflip --out t --resume auto";
    bench.run(line).succeeds();
    let result = |key: &str| serde_json::from_str::<Value>(&bench.text("t/trial.json")).unwrap()[key].clone();
    assert_eq!((result("test_looks"), result("test")), (0.into(), Value::Null));
    bench.run(&format!("{line} --test")).succeeds().says("Look 1 of this trial");
    let seen = result("test");
    assert_eq!((result("test_looks"), &seen["pairs"]), (1.into(), &6.into()));
    bench.run(line).succeeds();
    assert_eq!(result("test"), seen, "what was seen stays");
    bench.run(&format!("{line} --test")).succeeds();
    assert_eq!(result("test_looks"), 2);
    assert_eq!(bench.lines("t/test-looks.jsonl").len(), 2);
    let other = animals();
    other
        .run("prove animals --model mlp --image-size 16 --epochs 1 --technique hflip --test --out t")
        .exits(3);
}
