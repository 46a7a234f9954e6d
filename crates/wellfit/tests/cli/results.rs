//! What `wellfit evaluate` finds out, prints and writes.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

/// A run in `run/` on `pets/` with three classes, and four images of each to judge it by.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog", "owl"], 0..8);
    bench.pictures("pets/test", &["cat", "dog", "owl"], 8..12);
    bench.run(&format!("train pets {MLP} --epochs 2 --out run --quiet")).succeeds();
    bench
}

#[test]
fn the_figures_agree_with_each_other() {
    let bench = trained();
    let found = bench.run("evaluate run pets --json --out judged").succeeds().json();
    let number = |value: &Value| value.as_f64().unwrap();
    let matrix: Vec<Vec<f64>> = serde_json::from_value(found["confusion_matrix"].clone()).unwrap();
    assert_eq!(matrix.iter().flatten().sum::<f64>(), 12.0);
    let right: f64 = (0..3).map(|class| matrix[class][class]).sum();
    assert!((number(&found["accuracy"]) - right / 12.0).abs() < 1e-12);
    let [low, high] = [0, 1].map(|end| number(&found["accuracy_interval_95"][end]));
    assert!(low < number(&found["accuracy"]) && number(&found["accuracy"]) <= high);
    let f1: Vec<f64> =
        found["classes"].as_array().unwrap().iter().map(|class| number(&class["f1"])).collect();
    assert!((number(&found["macro_f1"]) - f1.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    let wrong: u64 =
        found["confused"].as_array().unwrap().iter().map(|pair| pair["images"].as_u64().unwrap()).sum();
    assert_eq!(wrong as f64, 12.0 - right);
    assert_eq!(found["calibration"]["bins"].as_array().unwrap().len(), 15);
    assert_eq!(found["class_names"], serde_json::json!(["cat", "dog", "owl"]));
    // The file says what the command says.
    let file: Value = serde_json::from_str(&bench.text("judged/evaluation.json")).unwrap();
    assert_eq!(file, found);
    let rows = bench.text("judged/predictions.csv");
    assert!(
        rows.starts_with("image,class,predicted,right,probability,probability_of_class,loss\n"),
        "{rows}"
    );
    assert_eq!(rows.lines().count(), 13);
    assert_eq!(rows.matches(",true,").count() as f64, right);
    let losses = rows.lines().skip(1).map(|row| row.rsplit(',').next().unwrap().parse::<f64>().unwrap());
    assert!((losses.sum::<f64>() / 12.0 - number(&found["loss"])).abs() < 1e-5, "six digits of each");
}

#[test]
fn people_read_a_table() {
    let bench = trained();
    let mut outcome = bench.run("evaluate run pets").succeeds();
    for part in [
        "95 % interval",
        "Macro-F1: ",
        "balanced accuracy: ",
        "AUC: ",
        "precision  ",
        "of 4 ",
        "calibration error",
    ] {
        outcome = outcome.says(part);
    }
}

#[test]
fn files_that_are_there_are_replaced_by_force_only() {
    let bench = trained();
    let line = "evaluate run pets --out judged";
    bench.run(line).succeeds();
    // The same figures once more are no conflict.
    bench.run(line).succeeds();
    for picture in ["confusion.png", "confusion.svg", "calibration.png", "calibration.svg", "top-losses.png"]
    {
        assert!(bench.has(&format!("judged/{picture}")), "{picture}");
    }
    bench.write("judged/predictions.csv", "mine");
    bench.refuses(line, 5, &["judged/predictions.csv exists", "--force"]);
    bench.run(&format!("{line} --force")).succeeds();
    assert_ne!(bench.text("judged/predictions.csv"), "mine");
    bench.refuses("evaluate run pets --force", 2, &["--force", "--out"]);
}

/// An image and its mirror image get the same answer, which is the mean of theirs.
#[test]
fn a_mirror_is_looked_into() {
    let bench = trained();
    let image = image::open(bench.path("pets/test/cat/8.png")).unwrap();
    image.fliph().save(bench.path("mirrored.png")).unwrap();
    let probability = |file: &str, more: &str| {
        let found = bench.run(&format!("predict run {file} --json {more}")).succeeds().json();
        let top = found["predictions"][0]["top"].as_array().unwrap().clone();
        let cat = top.iter().find(|row| row["class"] == "cat").unwrap();
        cat["probability"].as_f64().unwrap()
    };
    let [one, other] = ["pets/test/cat/8.png", "mirrored.png"].map(|file| probability(file, ""));
    for file in ["pets/test/cat/8.png", "mirrored.png"] {
        let mean = probability(file, "--tta hflip");
        assert!((mean - (one + other) / 2.0).abs() < 1e-6, "{mean} {one} {other}");
    }
    let found = bench.run("evaluate run pets --tta hflip --json").succeeds().json();
    assert_eq!(found["images"], 12);
    bench.refuses("evaluate run pets --tta vflip", 2, &["hflip"]);
}

#[test]
fn any_metric_can_be_watched_and_only_those_asked_for_are_recorded() {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog", "owl"], 0..8);
    bench.pictures("pets/val", &["cat", "dog", "owl"], 8..12);
    let line = format!("train pets {MLP} --epochs 3 --quiet");
    bench.run(&format!("{line} --out plain")).succeeds();
    bench
        .run(&format!(
            "{line} --out watched --monitor macro_f1 --patience 9 --lr-monitor auroc --best balanced_accuracy"
        ))
        .succeeds();
    let [plain, watched] = ["plain", "watched"].map(|run| bench.events(run, "epoch"));
    for (plain, watched) in plain.iter().zip(&watched) {
        assert!(plain.get("val_macro_f1").is_none() && watched.get("val_top5_accuracy").is_none());
        for name in ["val_macro_f1", "val_auc", "val_balanced_accuracy"] {
            assert!((0.0..=1.0).contains(&watched[name].as_f64().unwrap()), "{name}");
        }
        // As many images of each class: the mean recall is the accuracy.
        let [balanced, accuracy] =
            ["val_balanced_accuracy", "val_accuracy"].map(|name| watched[name].as_f64().unwrap());
        assert!((balanced - accuracy).abs() < 1e-12);
        assert_eq!(plain["train_loss"], watched["train_loss"], "watching changes nothing");
    }
    let found = bench.run("evaluate watched pets --json").succeeds().json();
    let best = crate::train::best_of(&watched, "val_balanced_accuracy");
    assert_eq!((&found["macro_f1"], &found["auc"]), (&best["val_macro_f1"], &best["val_auc"]));
    bench.refuses(&format!("{line} --out bad --monitor train_auc"), 2, &["--monitor train_auc", "val_auc"]);
    bench.refuses(
        &format!("{line} --out bad --best top5"),
        2,
        &["--best val_top5_accuracy", "with 3 classes"],
    );
}
