//! `wellfit predict` and `wellfit evaluate`.

use crate::bench::Bench;
use crate::material::MLP;

/// A run in `run/` on `pets/`, which has a validation part of its own.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..8);
    bench.pictures("pets/val", &["cat", "dog"], 8..12);
    bench.run(&format!("train pets {MLP} --epochs 4 --out run --quiet")).succeeds();
    bench
}

#[test]
fn predictions_are_ranked_for_people_and_programs() {
    let bench = trained();
    let line = "predict run pets/val/cat/8.png pets/val/dog/9.png";
    bench.run(line).succeeds().says("pets/val/cat/8.png\n   1. cat ").says("pets/val/dog/9.png\n   1. dog ");
    let outcome = bench.run(&format!("{line} --json")).succeeds();
    let predictions = outcome.json()["predictions"].clone();
    for (place, class) in ["cat", "dog"].into_iter().enumerate() {
        let top = predictions[place]["top"].as_array().unwrap();
        let shares: Vec<f64> = top.iter().map(|row| row["probability"].as_f64().unwrap()).collect();
        assert_eq!(top[0]["class"], class);
        assert!(shares[0] > shares[1] && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
    }
    let top = bench.run(&format!("{line} --top 1 --json")).succeeds().json()["predictions"][0]["top"].clone();
    assert_eq!(top.as_array().unwrap().len(), 1);
}

#[test]
fn a_weight_file_predicts_as_its_run_does() {
    let bench = trained();
    let image = "pets/val/cat/8.png --json";
    let by_run = bench.run(&format!("predict run {image}")).succeeds().json();
    assert_eq!(bench.run(&format!("predict run/model.safetensors {image}")).succeeds().json(), by_run);
}

#[test]
fn the_model_of_a_weight_file_follows_from_its_arrays() {
    let bench = trained();
    bench.weights("bare.safetensors", "mlp", 2);
    let image = "pets/val/cat/8.png";
    let told = bench.run(&format!("predict bare.safetensors {image} --model mlp --image-size 16 --json"));
    let found = bench.run(&format!("predict bare.safetensors {image} --json"));
    assert_eq!(found.succeeds().json(), told.succeeds().json());
    let wrong = format!("predict bare.safetensors {image} --model resnet18");
    bench.refuses(&wrong, 4, &["do not fit resnet18", "looks like mlp: give --model mlp"]);
}

#[test]
fn evaluation_repeats_the_figures_of_the_best_epoch() {
    let bench = trained();
    let outcome = bench.run("evaluate run pets --json").succeeds();
    let found = outcome.json();
    let epochs = bench.events("run", "epoch");
    let loss = |epoch: &serde_json::Value| epoch["val_loss"].as_f64().unwrap();
    let best = epochs.iter().min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap();
    assert_eq!((&found["part"], &found["images"]), (&"val".into(), &8.into()));
    assert_eq!((&found["loss"], &found["accuracy"]), (&best["val_loss"], &best["val_accuracy"]));
    assert_eq!(found["classes"][1]["class"], "dog");
}

#[test]
fn evaluation_prefers_the_test_part() {
    let bench = trained();
    bench.pictures("pets/test", &["cat", "dog"], 12..15);
    bench.run("evaluate run pets").succeeds().says("pets (test, 6 images)").says("of 3 ");
}

#[test]
fn evaluation_on_other_classes_is_refused() {
    let bench = trained();
    bench.pictures("birds", &["owl", "rook"], 0..2);
    bench.refuses("evaluate run birds", 3, &["2 of the 2 classes", "owl, rook. It knows cat, dog"]);
}

#[test]
fn bad_images_are_refused_or_left_out() {
    let bench = trained();
    bench.write("pets/val/cat/bad.png", "no picture");
    bench.refuses("evaluate run pets", 3, &["pets/val/cat/bad.png", "--skip-bad"]);
    bench.run("evaluate run pets --skip-bad").succeeds().warns("pets/val/cat/bad.png");
    bench.refuses("predict run pets/val/cat/bad.png", 3, &["pets/val/cat/bad.png", "no image", "text"]);
    bench.refuses("predict run pets/none.png", 3, &["pets/none.png", "No such file"]);
}

#[test]
fn a_directory_that_is_no_run() {
    let bench = trained();
    for command in ["predict pets pets/val/cat/8.png", "evaluate pets pets"] {
        bench.refuses(command, 5, &["pets is not a run", "run.toml"]);
    }
    bench.refuses("predict nowhere pets/val/cat/8.png", 5, &["cannot open nowhere", "No such file"]);
}

#[test]
fn the_run_of_a_lab_has_no_weights() {
    let bench = trained();
    bench.run("lab dropout --epochs 1 --out lab").succeeds();
    bench.refuses("predict lab pets/val/cat/8.png", 5, &["lab is the run of a lab", "wellfit train"]);
}

#[test]
fn a_run_that_was_tampered_with() {
    let bench = trained();
    let whole = bench.text("run/run.toml");
    let (predict, file) = ("predict run pets/val/cat/8.png", "run/run.toml");
    for (from, to, part) in [
        ("channels = 3", "channels = 2", "channels"),
        ("size = [16, 16]", "size = [0, 16]", "size"),
        ("size = [16, 16]", "size = [100000, 100000]", "100000"),
        ("name = \"mlp\"", "name = 7", "string"),
        ("format = 1", "format = 2", "update Wellfit"),
    ] {
        assert!(whole.contains(from), "{from} is not in {whole}");
        bench.write(file, whole.replace(from, to));
        bench.refuses(predict, 5, &[file, part]);
    }
    bench.write(file, whole);
    let model = bench.bytes("run/model.safetensors");
    bench.write("run/model.safetensors", &model[..model.len() / 2]);
    bench.refuses(predict, 4, &["run/model.safetensors", "damaged"]);
}

/// Files of a kilobyte whose networks would take gigabytes.
#[test]
fn what_a_file_says_of_its_network_must_fit_its_weights() {
    let bench = trained();
    let image = "pets/val/cat/8.png";
    let whole = bench.text("run/run.toml");
    let classes = format!("classes = [{}]", "\"x\", ".repeat(100_000));
    let start = whole.find("classes = [").unwrap();
    let end = start + whole[start..].find(']').unwrap() + 1;
    bench.write("run/run.toml", format!("{}{classes}{}", &whole[..start], &whole[end..]));
    bench.refuses(&format!("predict run {image}"), 4, &["100000 classes", "model.safetensors"]);
    let vast = whole.replace("size = [16, 16]", "size = [4096, 4096]");
    assert_ne!(vast, whole);
    bench.write("run/run.toml", vast);
    bench.refuses(&format!("predict run {image}"), 4, &["this image size", "at least 24159"]);
}
