//! `export --int8`, `predict` and `evaluate --precision int8`.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};
use serde_json::Value;

const IMAGES: &str = "pets/val/cat/8.png pets/val/dog/9.png";

/// A run in `run/` on `pets/`, which has a validation part of its own.
fn trained(network: &str) -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..8);
    bench.pictures("pets/val", &["cat", "dog"], 8..12);
    bench.run(&format!("train pets {network} --epochs 4 --out run --quiet")).succeeds();
    bench
}

#[track_caller]
fn predictions(bench: &Bench, line: &str) -> Value {
    bench.run(&format!("predict {line} --json")).succeeds().json()["predictions"].clone()
}

/// The logits of all images.
fn logits(predictions: &Value) -> Vec<f64> {
    let rows = predictions.as_array().unwrap().iter();
    rows.flat_map(|row| row["logits"].as_array().unwrap()).map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn an_exported_file_predicts_as_its_run_does_in_int8() {
    let bench = trained(RESNET);
    let outcome = bench.run("export run --int8 --json").succeeds();
    let found = outcome.json();
    assert_eq!(
        (&found["weights"], &found["precision"]),
        (&"run/export/model-int8.safetensors".into(), &"int8".into())
    );
    let [int8, floats] = ["bytes", "bytes_in_f32"].map(|key| found[key].as_u64().unwrap());
    assert_eq!(int8 as usize, bench.bytes("run/export/model-int8.safetensors").len());
    assert!(int8 * 2 < floats, "{int8} bytes of {floats}");
    let by_run = predictions(&bench, &format!("run {IMAGES} --precision int8"));
    let file = "run/export/model-int8.safetensors";
    assert_eq!(predictions(&bench, &format!("{file} {IMAGES}")), by_run);
    assert_eq!(predictions(&bench, &format!("{file} {IMAGES} --precision int8")), by_run);
    let floats = predictions(&bench, &format!("run {IMAGES}"));
    let (int8, floats) = (logits(&by_run), logits(&floats));
    let off: f64 = int8.iter().zip(&floats).map(|(a, b)| (a - b).powi(2)).sum();
    let size: f64 = floats.iter().map(|b| b * b).sum();
    assert!(off > 0.0 && off < 0.01 * size, "{int8:?}, in f32 {floats:?}");
    assert_eq!(bench.names("run/export"), ["model-int8.safetensors"]);
}

#[test]
fn the_cost_stands_beside_the_accuracy() {
    let bench = trained(MLP);
    let line = "evaluate run pets --precision int8";
    bench
        .run(line)
        .succeeds()
        .says("Calibrating int8 on 16 of 16 training images")
        .says("In f32: Loss: ")
        .says("95 % interval");
    let found = bench.run(&format!("{line} --json")).succeeds().json();
    let floats = bench.run("evaluate run pets --json").succeeds().json();
    assert_eq!((&found["precision"], &floats["precision"]), (&"int8".into(), &"f32".into()));
    assert_eq!((&found["f32"]["accuracy"], &found["f32"]["loss"]), (&floats["accuracy"], &floats["loss"]));
    assert_ne!(found["loss"], floats["loss"]);
    let of = |key: &str| found["f32"][key].as_f64().unwrap();
    let difference = found["accuracy"].as_f64().unwrap() - floats["accuracy"].as_f64().unwrap();
    assert!((of("difference") - difference).abs() < 1e-12);
    let only = (of("right_in_int8_only") - of("right_in_f32_only")) / 8.0;
    assert!((only - difference).abs() < 1e-12);
    let [low, high] = [0, 1].map(|end| found["f32"]["interval_95"][end].as_f64().unwrap());
    assert!(low < difference && difference < high, "{low} {difference} {high}");
    // Eight images, at most one of them answered otherwise.
    assert!(difference.abs() <= 0.125, "{difference}");
    bench.run("export run --int8 --quiet").succeeds();
    let by_file = bench.run("evaluate run/export/model-int8.safetensors pets --json").succeeds().json();
    assert_eq!((&by_file["loss"], &by_file["f32"]), (&found["loss"], &Value::Null));
}

/// The built-in sample needs no files.
#[test]
fn the_sample_calibrates_a_run_of_its_own() {
    let bench = Bench::new();
    bench.run("train sample --model mlp-bn --epochs 1 --out run --quiet").succeeds();
    let found = bench.run("evaluate run sample --precision int8 --json").succeeds().json();
    let (images, difference) =
        (found["images"].as_u64().unwrap(), found["f32"]["difference"].as_f64().unwrap());
    assert!(images > 500 && difference.abs() < 0.02, "{found}");
    assert!(found["accuracy"].as_f64().unwrap() > 0.5, "{found}");
}

#[test]
fn training_images_that_are_gone_are_named() {
    let bench = trained(MLP);
    bench.pictures("other/train", &["cat", "dog"], 20..24);
    let own = predictions(&bench, &format!("run {IMAGES} --precision int8"));
    std::fs::rename(bench.path("pets/train"), bench.path("gone")).unwrap();
    let line = format!("predict run {IMAGES} --precision int8");
    bench.refuses(&line, 3, &["run: its training images are needed", "--calibrate"]);
    bench.refuses("export run --int8", 3, &["its training images are needed", "--calibrate"]);
    assert_eq!(predictions(&bench, &format!("run {IMAGES} --precision int8 --calibrate gone")), own);
    let other = predictions(&bench, &format!("run {IMAGES} --precision int8 --calibrate other"));
    assert_ne!(other, own);
    std::fs::rename(bench.path("gone"), bench.path("pets/train")).unwrap();
    bench.pictures("pets/train", &["cat", "dog"], 30..31);
    bench.refuses(&line, 3, &["its training images are needed", "others now", "--calibrate"]);
    let file = format!("predict run/model.safetensors {IMAGES} --precision int8");
    bench.refuses(&file, 2, &["model.safetensors does not say", "--calibrate"]);
    bench.run(&format!("{file} --calibrate other")).succeeds();
    bench.refuses(&format!("{file} --calibrate nowhere"), 3, &["nowhere"]);
}

#[test]
fn options_that_do_not_go_together() {
    let bench = trained(MLP);
    bench.run("export run --int8 --quiet").succeeds();
    let file = "run/export/model-int8.safetensors";
    for (line, parts) in [
        (format!("predict run {IMAGES} --precision int4"), ["int4", "f32, bf16, int8, auto"]),
        (
            format!("predict run {IMAGES} --precision bf16 --device wgpu"),
            ["--precision bf16", "--device wgpu"],
        ),
        (format!("predict run {IMAGES} --calibrate pets"), ["--calibrate", "--precision int8"]),
        (
            format!("predict run {IMAGES} --precision int8 --device wgpu"),
            ["--precision int8", "--device wgpu"],
        ),
        (format!("evaluate {file} pets --precision auto"), ["is in int8", "--precision auto"]),
        (format!("predict {file} {IMAGES} --precision f32"), ["is in int8", "--precision f32"]),
        (format!("predict {file} {IMAGES} --precision int8 --calibrate pets"), ["calibrated", "--calibrate"]),
        ("export run --int8 --format onnx".to_owned(), ["--int8", "--format"]),
        ("export run --format pth --calibrate pets".to_owned(), ["--int8", "--calibrate"]),
        (format!("export {file} --int8"), ["is in int8", "model-int8"]),
        (format!("export {file} --format pth"), ["is in int8", "the run it was made from"]),
    ] {
        bench.refuses(&line, 2, &parts);
    }
    let weights = format!("pets {MLP} --weights {file}");
    bench.refuses_to_train(&weights, 4, &["model-int8.safetensors"]);
    bench.write(file, "older");
    bench.refuses("export run --int8", 5, &["model-int8.safetensors exists", "--force"]);
    bench.run("export run --int8 --force").succeeds().says("times as small");
}

#[test]
fn a_damaged_file_is_no_network() {
    let bench = trained(MLP);
    bench.run("export run --int8 --quiet").succeeds();
    let file = "run/export/model-int8.safetensors";
    let whole = bench.bytes(file);
    let line = format!("predict {file} {IMAGES}");
    bench.write(file, &whole[..whole.len() / 2]);
    bench.refuses(&line, 4, &["model-int8.safetensors", "damaged"]);
    let text = |from: &str, to: &str| {
        let place = whole.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut changed = whole.clone();
        changed[place..place + to.len()].copy_from_slice(to.as_bytes());
        changed
    };
    for (from, to, part) in [
        ("classifier.0.weight_scale", "classifier.9.weight_scale", "classifier.9.weight_scale"),
        ("input.output_scale", "inpat.output_scale", "inpat"),
        ("classifier.0.weight\"", "classifier.7.weight\"", "classifier.0.weight"),
        ("\\\"size\\\":[16,16]", "\\\"size\\\":[00,16]", "model-int8"),
        ("\"model\":\"mlp\"", "\"model\":\"mlq\"", "none of the architectures"),
    ] {
        bench.write(file, text(from, to));
        bench.refuses(&line, 4, &[part]);
    }
}
