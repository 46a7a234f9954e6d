//! `wellfit compare`: runs side by side.

use crate::bench::Bench;
use crate::material::MLP;

/// Runs `a` and `b` of other rates on the same images; both record single answers.
fn runs(options: &str) -> Bench {
    let bench = Bench::new();
    bench.animals();
    let line = format!("train animals {MLP} --epochs 3 --batch-size 4 --val-split 0.5 {options}");
    bench.run(&format!("{line} --lr 0.00001 --out a")).succeeds();
    bench.run(&format!("{line} --lr 0.01 --dropout 0.1 --out b")).succeeds();
    bench
}

#[test]
fn results_are_paired_by_image_where_both_recorded_them() {
    let bench = runs("--record-answers");
    let outcome = bench.run("--json compare a b --out pictures").succeeds();
    let result = outcome.json();
    let settings = result["settings"].as_object().unwrap();
    assert_eq!(settings.keys().collect::<Vec<_>>(), ["dropout", "lr"]);
    assert_eq!(settings["dropout"][0], serde_json::Value::Null);
    let [accuracy, loss] = &result["differences"].as_array().unwrap()[..] else { panic!("{result}") };
    assert_eq!((&accuracy["metric"], &loss["metric"]), (&"val_accuracy".into(), &"val_cross_entropy".into()));
    for difference in [accuracy, loss] {
        assert_eq!(difference["paired_images"], 8);
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        let (low, high) = (number(&difference["interval"][0]), number(&difference["interval"][1]));
        let middle = number(&difference["difference"]);
        assert!(
            (0.5 * (low + high) - middle).abs() < 1e-5,
            "the mean of the images is the mean: {difference}"
        );
        let gap = number(&difference["other"]) - number(&difference["first"]);
        assert!((gap - middle).abs() < 1e-12);
    }
    let gained = accuracy["fixed"].as_i64().unwrap() - accuracy["broken"].as_i64().unwrap();
    assert_eq!(gained as f64 / 8.0, accuracy["difference"].as_f64().unwrap());
    assert_eq!(bench.names("pictures"), ["accuracy.png", "accuracy.svg", "loss.png", "loss.svg"]);
    let svg = bench.text("pictures/loss.svg");
    assert!(svg.contains("a, validation") && svg.contains("b, training"), "a curve for each run");
    bench.run("compare a b --out pictures").succeeds().says("8 images paired").says("wellfit prove");
}

#[test]
fn without_single_answers_the_interval_is_wider_and_says_so() {
    let bench = runs("--no-statistics");
    let result = bench.run("--json compare a b").succeeds().json();
    let [accuracy, loss] = &result["differences"].as_array().unwrap()[..] else { panic!("{result}") };
    assert!(accuracy["interval"].is_array() && accuracy["paired_images"].is_null());
    assert!(loss["interval"].is_null());
    bench.run("compare a b").succeeds().says("not paired").says("--record-answers");
    // The same run twice: no setting differs, and no result does.
    let same = bench.run("--json compare a a --out same").succeeds().json();
    assert!(same["settings"].as_object().unwrap().is_empty());
    assert_eq!(same["differences"][0]["difference"], 0.0);
}

#[test]
fn runs_on_other_images_are_told_and_not_paired() {
    let bench = runs("--record-answers");
    let line = format!("train animals {MLP} --epochs 1 --val-split 0.5 --seed 5 --record-answers");
    bench.run(&format!("{line} --out other")).succeeds();
    let outcome = bench.run("compare a other").succeeds();
    outcome.warns("not judged by the same validation images").says("not paired");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let bench = runs("");
    bench.refuses("compare a", 2, &["RUN"]);
    bench.refuses("compare a nowhere", 5, &["nowhere"]);
    bench.write("compare/loss.png", "mine");
    bench.refuses("compare a b", 5, &["loss.png", "--force"]);
}
