//! `wellfit probe`: what a run's record cannot tell.

use crate::bench::Bench;
use crate::duplicates::{encoded, smooth};
use crate::material::{MLP, RESNET, picture};
use image::ImageFormat;
use serde_json::{Value, json};

/// Forty pictures of two classes; some of `cat`'s validation images are dogs.
fn mislabelled() -> Bench {
    let bench = Bench::new();
    for (class, name) in ["cat", "dog"].iter().enumerate() {
        for number in 0..20 {
            bench.write(&format!("animals/train/{name}/{number}.png"), picture(class, number));
            bench.write(&format!("animals/val/{name}/{}.png", 100 + number), picture(class, 100 + number));
        }
    }
    for number in [300, 301] {
        bench.write(&format!("animals/val/cat/wrong-{number}.png"), picture(1, number));
    }
    bench
}

#[test]
fn suspects_are_the_wrong_labels() {
    let bench = mislabelled();
    bench.run(&format!("train animals {MLP} --epochs 8 --batch-size 8 --quiet --out run")).succeeds();
    let before = bench.bytes("run/model.safetensors");
    let events = bench.text("run/events.jsonl");
    let result = bench.run("probe run --json --probabilities p.csv").succeeds().json();
    let labels = &result["labels"];
    assert_eq!((&labels["part"], &labels["images"]), (&json!("val"), &json!(42)), "{labels}");
    let suspects: Vec<&Value> = labels["suspects"].as_array().unwrap().iter().collect();
    assert_eq!(suspects.len(), 2, "{labels}");
    for suspect in suspects {
        assert!(suspect["path"].as_str().unwrap().contains("wrong-"), "{suspect}");
        assert_eq!((&suspect["class"], &suspect["guess"]), (&json!("cat"), &json!("dog")));
    }
    // Without BatchNorm there is nothing to re-estimate, and the gap is all measurement and rest.
    let gap = &result["gap"];
    assert_eq!((&gap["batches"], &gap["losses"]["val_batch"]), (&Value::Null, &Value::Null));
    let part = |name: &str| gap[name].as_f64().unwrap();
    assert!((part("gap") - part("measurement") - part("rest")).abs() < 1e-9, "{gap}");
    assert_eq!(bench.text("p.csv").lines().count(), 43);
    // A diagnosis reads what the probe left.
    let found = bench.run("diagnose run --json").succeeds().json();
    let findings = found["findings"].as_array().unwrap();
    let named = |name: &str| findings.iter().find(|finding| finding["name"] == name);
    assert!(
        named("label-errors").unwrap()["sentence"].as_str().unwrap().starts_with("2 of 42 labels"),
        "{found}"
    );
    assert!(named("duplicates").is_none(), "{found}");
    let unknown = found["not_looked_at"].as_array().unwrap();
    assert!(!unknown.iter().any(|of| of["name"] == "duplicates"), "{unknown:?}");
    // The run is what it was, with the files of the probe.
    assert!(before == bench.bytes("run/model.safetensors") && events == bench.text("run/events.jsonl"));
    assert!(bench.bytes("run/probe-labels.png").starts_with(b"\x89PNG"));
    let kept: Value = serde_json::from_str(&bench.text("run/probe.json")).unwrap();
    assert_eq!((&kept["labels"], &kept["gap"]), (&result["labels"], &result["gap"]));
    bench.run("verify run").succeeds();
    bench
        .run("probe run --no-files")
        .succeeds()
        .says("Labels: 2 of 42 are probably wrong")
        .says("wrong-300.png");
}

#[test]
fn the_gap_is_taken_apart_where_there_is_batch_norm() {
    let bench = Bench::new();
    bench.animals();
    // Two epochs leave running statistics that lag far behind.
    bench.run(&format!("train animals {RESNET} --epochs 2 --batch-size 4 --quiet --out run")).succeeds();
    let result = bench.run("probe run --json").succeeds().json();
    let gap = &result["gap"];
    let part = |name: &str| gap[name].as_f64().unwrap();
    let sum = part("measurement") + part("batch_norm_lag") + part("batch_or_shift") + part("rest");
    assert!((part("gap") - sum).abs() < 1e-9, "{gap}");
    assert!(gap["batches"].as_u64().unwrap() >= 3, "{gap}");
    assert!(part("batch_norm_lag") != 0.0 && part("batch_or_shift") != 0.0, "{gap}");
    let again = bench.run("probe run --json").succeeds().json();
    assert_eq!(again, result, "the same each time");
    bench.run("probe run").succeeds().says("BatchNorm re-estimated").says("val - train");
}

#[test]
fn duplicates_across_parts_are_taken_out_of_the_accuracy() {
    let bench = mislabelled();
    let png = |number| encoded(smooth(number), ImageFormat::Png);
    bench.write("animals/train/dog/known.png", png(1));
    bench.write("animals/val/dog/known.jpg", encoded(smooth(1), ImageFormat::Jpeg));
    bench.run(&format!("train animals {MLP} --epochs 2 --batch-size 8 --quiet --out run")).succeeds();
    let result = bench.run("probe run --json").succeeds().json();
    assert_eq!((&result["duplicates"]["extra"], &result["duplicates"]["near"]), (&json!(1), &json!(1)));
    let accuracy = &result["accuracy"];
    assert_eq!((&accuracy["images"], &accuracy["without_duplicates"]["images"]), (&json!(43), &json!(42)));
    assert!(bench.has("run/probe-duplicates.png"));
    bench
        .run("probe run")
        .succeeds()
        .warns("1 image of val show what images of train show")
        .says("that are there once");
}

#[test]
fn a_cross_validation_judges_all_training_labels() {
    let bench = Bench::new();
    bench.pictures("flat", &["ant", "bee"], 0..40);
    // An image is suspected where it looks more like the other class than that class' own do on average: some of these.
    for number in 50..56 {
        bench.write(&format!("flat/ant/wrong-{number}.png"), picture(1, number));
    }
    bench.run(&format!("train flat {MLP} --epochs 12 --batch-size 4 --folds 3 --quiet --out cv")).succeeds();
    let result = bench.run("probe cv --json").succeeds().json();
    assert_eq!((&result["gap"], &result["labels"]["part"]), (&Value::Null, &json!("train")));
    assert_eq!(result["labels"]["images"], 86);
    let suspects = result["labels"]["suspects"].as_array().unwrap();
    assert!(!suspects.is_empty(), "{result}");
    assert!(suspects.iter().all(|one| one["path"].as_str().unwrap().contains("wrong-")), "{suspects:?}");
    assert!(bench.has("cv/probe.json"));
}

#[test]
fn what_cannot_be_probed_is_told() {
    let bench = Bench::new();
    bench.animals();
    bench.run(&format!("train animals {MLP} --epochs 1 --quiet --out run")).succeeds();
    bench.write("animals/cat/99.png", picture(0, 99));
    bench.refuses("probe run", 3, &["other images than run was trained on"]);
    bench.refuses("probe nothing", 5, &["nothing"]);
}
