//! `tune`: a study is searched, goes on, and is where Optuna finds it.

use crate::bench::Bench;
use serde_json::Value;
use std::collections::BTreeMap;

const LINE: &str = "tune animals --model mlp --image-size 16 --space space.toml --no-report --out study";

/// Two classes of pictures, and a space of two settings.
fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench.write(
        "space.toml",
        "lr = { low = 1e-4, high = 1e-1, log = true }\nbatch_size = { choices = [4, 8] }\n",
    );
    bench
}

/// How often a trial with these values was finished with a result, by the number of the first; and how many failed.
fn results(bench: &Bench) -> (BTreeMap<u64, usize>, usize) {
    let (mut origins, mut results, mut failed) = (Vec::new(), BTreeMap::new(), 0);
    for line in bench.lines("study/study.log") {
        let of = |key: &str| line[key].as_u64();
        match of("op_code") {
            Some(4) => {
                let origin = line["system_attrs"]["failed_trial"].as_u64();
                origins.push(origin.unwrap_or(origins.len() as u64));
            }
            Some(6) => {
                let origin = origins[of("trial_id").unwrap() as usize];
                match of("state") {
                    Some(1 | 2) => *results.entry(origin).or_default() += 1,
                    Some(3) => failed += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    (results, failed)
}

#[test]
fn a_study_is_searched_and_gone_on_with() {
    let bench = animals();
    let line = format!("{LINE} --epochs 2 --json");
    let first = bench.run(&format!("{line} --trials 3")).succeeds().json();
    assert_eq!(
        (&first["metric"], &first["study"]),
        (&Value::from("val_accuracy"), &Value::from("animals-tune"))
    );
    assert_eq!(results(&bench).0, BTreeMap::from([(0, 1), (1, 1), (2, 1)]));
    let second = bench.run(&format!("{line} --trials 5")).succeeds().json();
    assert_eq!(results(&bench).0.len(), 5);
    let trials = &second["trials"];
    assert_eq!(trials["complete"].as_u64().unwrap() + trials["pruned"].as_u64().unwrap(), 5);
    // The best trial is an ordinary run with the settings that were tried.
    let best = &second["best"];
    let run = format!("study/trial-{}", best["trial"]);
    let config = bench.toml(&format!("{run}/run.toml"))["config"].clone();
    assert_eq!(config["lr"].as_float(), best["settings"]["lr"].as_f64());
    assert_eq!(config["batch_size"].as_integer(), best["settings"]["batch_size"].as_i64());
    let accuracies =
        bench.events(&run, "epoch").into_iter().filter_map(|epoch| epoch["val_accuracy"].as_f64());
    assert_eq!(accuracies.reduce(f64::max), best["value"].as_f64());
    bench.refuses(&format!("{LINE} --epochs 3 --trials 6"), 2, &["begun with other settings", "--study"]);
}

#[test]
fn a_study_has_a_page() {
    let bench = animals();
    let line = LINE.replace(" --no-report", "");
    let found = bench.run(&format!("{line} --epochs 1 --trials 3 --json")).succeeds().json();
    assert_eq!(found["report"], "study/report.html");
    let page = bench.text("study/report.html");
    let value = format!("{:.1} %", 100.0 * found["best"]["value"].as_f64().unwrap());
    assert!(page.contains(&format!("Best: {value} in trial {}", found["best"]["trial"])), "{page}");
    // The page again, from the study's own file.
    std::fs::remove_file(bench.path("study/report.html")).unwrap();
    bench.run("report study").succeeds();
    assert_eq!(bench.text("study/report.html"), page);
    bench.refuses("report study study/trial-0", 2, &["is a study", "give it alone"]);
    // None is wanted.
    let found = bench.run(
        &format!("{LINE} --epochs 1 --trials 1 --study other --json").replace("--out study", "--out other"),
    );
    assert_eq!(found.succeeds().json()["report"], Value::Null);
    assert!(bench.has("other/study.json") && !bench.has("other/report.html"));
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_made() {
    let bench = animals();
    bench.write("bad.toml", "epochs = 2\nlr = { low = 0.1, high = 0.01 }\n");
    let line = "tune animals --model mlp --image-size 16 --epochs 1 --out study";
    bench.refuses(&format!("{line} --space bad.toml"), 2, &["bad.toml", "line 2", "lr", "`low` 0.1"]);
    bench.refuses(&format!("{line} --space none.toml"), 2, &["none.toml", "cannot be read"]);
    bench.refuses(&format!("{line} --space space.toml --lr 0.1"), 2, &["--lr is searched, and it is given"]);
    bench.refuses(&format!("{line} --space space.toml --search grid"), 2, &["lr: a grid needs"]);
    bench.refuses(&format!("{line} --space space.toml --metric speed"), 2, &["`speed`", "val_accuracy"]);
    bench.refuses(
        &format!("{line} --space space.toml --storage mysql://host/db"),
        2,
        &["journal, sqlite, postgresql"],
    );
}

#[test]
fn no_password_is_told_or_kept() {
    let bench = animals();
    let url = "postgresql://me:s3cret@127.0.0.1:1/db";
    let line =
        format!("tune animals --model mlp --image-size 16 --epochs 1 --space space.toml --storage {url}");
    bench.run(&line).exits(5).never_says("s3cret");
    assert!(bench.snapshot().values().all(|bytes| !bytes.windows(6).any(|part| part == b"s3cret")));
}
