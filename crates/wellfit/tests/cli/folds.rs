//! Cross-validation: `train --folds K`, and the ensemble of its runs.

use crate::bench::Bench;
use crate::material::{MLP, picture};
use std::collections::BTreeSet;

/// 24 pictures of three classes, one of them twice, without parts.
fn flat() -> Bench {
    let bench = Bench::new();
    for (class, name) in ["ant", "bee", "cat"].iter().enumerate() {
        for number in 0..8 {
            bench.write(&format!("flat/{name}/{number}.png"), picture(class, number));
        }
    }
    bench.write("flat/ant/again.png", picture(0, 3));
    bench
}

/// The rows of a CSV file without its head.
fn rows(bench: &Bench, name: &str) -> Vec<Vec<String>> {
    let text = bench.text(name);
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn each_image_is_answered_by_the_run_that_did_not_see_it() {
    let bench = flat();
    let line = format!("train flat {MLP} --epochs 2 --batch-size 4 --folds 3 --out cv");
    bench.run(&line).succeeds().says("Fold 3 of 3").says("Out of fold, 25 images").says("±");
    let answers = rows(&bench, "cv/predictions.csv");
    let images: BTreeSet<&str> = answers.iter().map(|row| row[0].as_str()).collect();
    assert_eq!((answers.len(), images.len()), (25, 25), "each image once");
    let sizes: Vec<i64> = (1..=3)
        .map(|fold| bench.toml(&format!("cv/fold-{fold}/run.toml"))["data"]["val"].as_integer().unwrap())
        .collect();
    assert_eq!(sizes.iter().sum::<i64>(), 25);
    assert!(sizes.iter().all(|size| (8..=9).contains(size)), "{sizes:?}");
    // One directory is one classifier, whose probabilities are the means of the runs'.
    let probability = |run: &str| {
        bench.run(&format!("predict {run} flat/bee/1.png --jsonl {run}.jsonl --top 3")).succeeds();
        let line: serde_json::Value = serde_json::from_str(&bench.text(&format!("{run}.jsonl"))).unwrap();
        let of = |row: &&serde_json::Value| row["class"] == "bee";
        line["top"].as_array().unwrap().iter().find(of).unwrap()["probability"].as_f64().unwrap()
    };
    let mean = (1..=3).map(|fold| probability(&format!("cv/fold-{fold}"))).sum::<f64>() / 3.0;
    assert!((probability("cv") - mean).abs() < 1e-6, "{mean}");
    // All images were seen by one of the runs.
    bench.run("evaluate cv flat").succeeds().says("25 images");
    bench.refuses("export cv --format onnx --out away", 2, &["ensemble of 3 networks", "fold-1"]);
}

#[test]
fn a_cut_off_cross_validation_goes_on_to_the_same_bits() {
    let bench = flat();
    let line = format!("train flat {MLP} --epochs 3 --batch-size 4 --folds 2 --resume auto");
    bench.run(&format!("{line} --out whole")).succeeds();
    // As if it had been killed before fold 2 was done, and while fold 1 was being finished.
    bench.run(&format!("{line} --out cut")).succeeds();
    std::fs::remove_dir_all(bench.path("cut/fold-2")).unwrap();
    std::fs::remove_file(bench.path("cut/fold-1/model.safetensors")).unwrap();
    std::fs::remove_file(bench.path("cut/predictions.csv")).unwrap();
    bench.run(&format!("{line} --out cut")).succeeds().says("Fold 1 of 2").says("Fold 2 of 2");
    for name in ["fold-1/model.safetensors", "fold-2/model.safetensors", "predictions.csv"] {
        assert!(bench.bytes(&format!("whole/{name}")) == bench.bytes(&format!("cut/{name}")), "{name}");
    }
    bench.refuses(&format!("{line} --out cut"), 5, &["cut holds a run already", "--force"]);
    // A single fold is an ordinary run, the same as in the whole.
    let alone = format!("train flat {MLP} --epochs 3 --batch-size 4 --folds 2 --fold 2 --out alone");
    bench.run(&alone).succeeds();
    assert!(bench.bytes("alone/model.safetensors") == bench.bytes("whole/fold-2/model.safetensors"));
}

#[test]
fn nonsense_is_refused_before_anything_is_written() {
    let bench = flat();
    for (options, parts) in [
        ("--folds 1", &["--folds must be at least 2"][..]),
        ("--folds 10", &["--folds", "at most", "9"]),
        ("--folds 3 --fold 4", &["--fold must be from 1 to 3"]),
        ("--fold 1", &["--fold belongs to --folds"]),
        ("--folds 3 --val-split 0.2", &["--val-split", "--folds"]),
    ] {
        bench.refuses(&format!("train flat {MLP} {options} --out none"), 2, parts);
    }
}

#[test]
fn the_directory_is_resumed_and_its_folds_are_listed() {
    let bench = flat();
    bench.run(&format!("train flat {MLP} --epochs 2 --batch-size 4 --folds 2 --out runs/cv")).succeeds();
    // The paths of the images are absolute in a resumed run.
    let answers = || -> Vec<Vec<String>> {
        rows(&bench, "runs/cv/predictions.csv").into_iter().map(|row| row[1..].to_vec()).collect()
    };
    let before = answers();
    for name in ["predictions.csv", "fold-2/model.safetensors"] {
        std::fs::remove_file(bench.path(&format!("runs/cv/{name}"))).unwrap();
    }
    bench.refuses("resume runs/cv --epochs 9", 2, &["--epochs", "all have as many"]);
    bench.run("resume runs/cv").succeeds().says("Out of fold, 25 images");
    assert_eq!(answers(), before);
    bench.run("resume runs/cv").succeeds().says("runs/cv is finished");
    bench.run("runs").succeeds().says("cv/fold-1").says("cv/fold-2");
}
