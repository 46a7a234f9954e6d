//! `wellfit export`, and exported weights read again.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

const IMAGES: &str = "pets/val/cat/8.png pets/val/dog/9.png";

/// A run in `run/`, trained with flips on pictures in `pets/`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..8);
    bench.pictures("pets/val", &["cat", "dog"], 8..12);
    bench.run(&format!("train pets {MLP} --epochs 2 --out run --quiet")).succeeds();
    bench
}

fn exported(formats: &[&str]) -> Bench {
    let bench = trained();
    for format in formats {
        bench.run(&format!("export run --format {format}")).succeeds();
    }
    bench
}

#[track_caller]
fn predictions(bench: &Bench, run: &str) -> Value {
    bench.run(&format!("predict {run} {IMAGES} --json")).succeeds().json()
}

#[test]
fn every_format_lies_beside_one_description() {
    let bench = exported(&["safetensors", "pth"]);
    let outcome = bench.run("export run --format onnx --json").succeeds().json();
    assert_eq!(outcome["weights"], "run/export/model.onnx");
    assert_eq!(outcome["classes"], serde_json::json!(["cat", "dog"]));
    assert_eq!(bench.names("run/export"), ["config.json", "model.onnx", "model.pth", "model.safetensors"]);
    let config: Value = serde_json::from_str(&bench.text("run/export/config.json")).unwrap();
    assert_eq!((&config["architecture"], &config["label_names"][1]), (&"mlp".into(), &"dog".into()));
    let onnx = bench.bytes("run/export/model.onnx");
    for part in ["logits", "classifier.4.weight", "[\"cat\",\"dog\"]", "\"mean\":[0.485,0.456,0.406]"] {
        assert!(onnx.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
    }
}

/// By the metadata of a safetensors file, and by the `config.json` beside a .pth file.
#[test]
fn exported_weights_predict_and_evaluate_as_their_run_does() {
    let bench = exported(&["pth"]);
    let by_run = predictions(&bench, "run");
    assert_eq!(predictions(&bench, "run/export"), by_run);
    assert_eq!(predictions(&bench, "run/export/model.pth"), by_run);
    bench.run("export run --format safetensors --out alone").succeeds();
    std::fs::remove_file(bench.path("alone/config.json")).unwrap();
    assert_eq!(predictions(&bench, "alone"), by_run);
    assert_eq!(predictions(&bench, "alone/model.safetensors"), by_run);
    let figures = |run: &str| {
        let found = bench.run(&format!("evaluate {run} pets --json")).succeeds().json();
        (found["loss"].clone(), found["accuracy"].clone(), found["classes"].clone())
    };
    assert_eq!(figures("run/export"), figures("run"));
}

#[test]
fn a_round_trip_is_bit_exact() {
    let bench = exported(&["safetensors"]);
    bench.run("export run --format pth --out only_pth").succeeds();
    for from in ["run/export", "only_pth"] {
        for format in ["safetensors", "pth", "onnx"] {
            let out = format!("again-{}", from.replace('/', "-"));
            bench.run(&format!("export run --format {format} --out first-{out}")).succeeds();
            bench.run(&format!("export {from} --format {format} --out {out}")).succeeds();
            for file in [format!("model.{format}"), "config.json".to_owned()] {
                let (once, twice) = (format!("first-{out}/{file}"), format!("{out}/{file}"));
                assert!(bench.bytes(&once) == bench.bytes(&twice), "{file} from {from}");
            }
        }
    }
    let state = |file: &str| wellfit::weights::read(&bench.path(file)).unwrap().arrays;
    assert_eq!(state("run/export/model.safetensors"), state("run/model.safetensors"));
    assert_eq!(state("only_pth/model.pth").len(), state("run/model.safetensors").len());
}

/// Flips belong to training: whoever uses the weights must not flip.
#[test]
fn the_description_is_that_of_evaluation() {
    let bench = exported(&["safetensors"]);
    let transform = |file: &str| -> Value {
        let file = wellfit::weights::read(&bench.path(file)).unwrap();
        serde_json::from_str(&file.metadata["transform"]).unwrap()
    };
    assert_eq!(transform("run/model.safetensors")["hflip"], true);
    assert_eq!(transform("run/export/model.safetensors")["hflip"], Value::Null);
}

#[test]
fn training_starts_from_an_exported_directory() {
    let bench = exported(&["pth"]);
    let outcome = bench.run(&format!("train pets {MLP} --epochs 1 --weights run/export --out next"));
    outcome.succeeds().says("Weights from ").says("run/export/model.pth");
    let line = format!("{MLP} --weights pets");
    bench.refuses_to_train(&format!("pets {line}"), 4, &["no weights to start from", "pets is not a run"]);
}

#[test]
fn a_weight_file_is_exported_beside_itself() {
    let bench = Bench::new();
    bench.write("made/notes.txt", "");
    bench.weights("made/bare.safetensors", "mlp", 3);
    bench.run("export made/bare.safetensors --format pth").succeeds().says("it is that of mlp");
    assert_eq!(bench.names("made/export"), ["config.json", "model.pth"]);
    let config: Value = serde_json::from_str(&bench.text("made/export/config.json")).unwrap();
    assert_eq!(config["label_names"], serde_json::json!(["0", "1", "2"]));
    bench.run("export made/export --format safetensors").succeeds();
    assert_eq!(bench.names("made/export"), ["config.json", "model.pth", "model.safetensors"]);
    bench.refuses(
        "export made/bare.safetensors --format pth --model resnet20",
        4,
        &["do not fit resnet20", "--model mlp"],
    );
}

#[test]
fn an_export_is_replaced_only_by_force() {
    let bench = exported(&["pth", "onnx"]);
    bench.run("export run --format pth").succeeds();
    bench.write("run/export/model.pth", "older weights");
    bench.refuses("export run --format pth", 5, &["run/export/model.pth exists", "--force"]);
    let outcome = bench.run("export run --format pth --force").succeeds();
    outcome.warns("run/export/model.onnx is of an earlier export");
    assert_eq!(predictions(&bench, "run/export/model.pth"), predictions(&bench, "run"));
    bench.write("thesis/config.json", "{}");
    bench.refuses("export run --format pth --out thesis", 5, &["thesis/config.json exists", "--force"]);
}

#[test]
fn what_cannot_be_exported() {
    let bench = exported(&["onnx"]);
    bench.refuses("export nowhere --format pth", 5, &["cannot open nowhere", "No such file"]);
    bench.refuses("export pets --format pth", 5, &["pets is not a run", "run.toml"]);
    bench.refuses("export run --format tflite", 2, &["tflite", "safetensors, pth, onnx"]);
    bench.refuses("export run", 2, &["--format <FORMAT>"]);
    bench.refuses("export run/export/model.onnx --format pth", 4, &["model.onnx", "an ONNX model"]);
    bench.run("lab dropout --epochs 1 --out lab").succeeds();
    bench.refuses("export lab --format pth", 5, &["lab is the run of a lab"]);
    bench.earlier_run();
    bench.refuses("export earlier --format pth", 5, &["earlier/run.toml"]);
}

#[test]
fn an_export_that_cannot_be_written() {
    let bench = trained();
    bench.write("file", "a file");
    bench.refuses("export run --format pth --out file", 5, &["cannot write file"]);
    bench.refuses("export run --format onnx --out file/export", 5, &["cannot write file/export"]);
    std::fs::create_dir_all(bench.path("taken/model.pth")).unwrap();
    bench.refuses("export run --format pth --out taken", 5, &["taken/model.pth", "it is a folder"]);
}

/// A `config.json` counts only for a file that says nothing of itself, and for the model it is about.
#[test]
fn a_configuration_of_something_else_does_no_harm() {
    let bench = exported(&["pth"]);
    let whole = bench.text("run/export/config.json");
    let predict = format!("predict run/export/model.pth {IMAGES}");
    bench.write("run/export/config.json", whole.replace("\"mlp\"", "\"resnet18\""));
    let named = bench.run(&format!("{predict} --model mlp --image-size 16")).succeeds();
    named.says("1. 0 ").never_says("1. cat");
    bench.write("run/export/config.json", whole.replace("bilinear", "lanczos"));
    bench.run(&predict).succeeds().warns("interpolation lanczos");
    bench.write("run/export/config.json", whole.replace("16", "100000"));
    bench.refuses(&predict, 4, &["model.pth", "100000"]);
    bench.write("run/export/config.json", "# mine");
    bench.run(&predict).succeeds().warns("config.json is left out of account");
}
