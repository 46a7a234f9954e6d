//! Every form of data that `train` takes, at `predict` and `evaluate`.

use crate::bench::Bench;
use serde_json::Value;
use std::path::Path;

/// A file or a folder that a real package wrote (`parity/data_forms.py`).
fn form(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/tests/fixtures/forms").join(name);
    path.canonicalize().unwrap().display().to_string()
}

/// A run in `run/` on a table of dogs, cats and birds with the bytes of images.
fn trained() -> Bench {
    let bench = Bench::new();
    let options = "--model mlp --image-size 8 --epochs 2 --batch-size 4 --val-split 0.3";
    bench.run(&format!("train {} {options} --out run --quiet", form("parquet"))).succeeds();
    bench
}

fn predicted(bench: &Bench, images: &str) -> Vec<Value> {
    let outcome = bench.run(&format!("predict run {images} --json")).succeeds();
    outcome.json()["predictions"].as_array().unwrap().clone()
}

#[test]
fn predict_takes_data_and_looks_at_no_labels() {
    let bench = trained();
    let logits = |rows: &[Value]| -> Vec<Value> { rows.iter().map(|row| row["logits"].clone()).collect() };
    let of_parquet = predicted(&bench, &form("parquet"));
    assert_eq!(of_parquet.len(), 12);
    let name = of_parquet[9]["image"].as_str().unwrap();
    assert!(name.ends_with("train-00000-of-00001.parquet/6-6.png"), "sorted by file, test first: {name}");
    // The same pixels in the same order, whatever holds them.
    let of_train = predicted(&bench, &form("zstd.parquet"));
    assert_eq!(logits(&of_parquet[3..]), logits(&of_train));
    let of_npz = predicted(&bench, &form("stored.npz"));
    assert_eq!(logits(&of_npz[..9]), logits(&of_train));
    assert!(of_npz[0]["image"].as_str().unwrap().ends_with("stored.npz/train/0"));
    assert_eq!(logits(&predicted(&bench, &form("webdataset/train-000000.tar"))), logits(&of_train)[..5]);
    assert_eq!(predicted(&bench, &format!("{}/*.tar", form("webdataset"))).len(), 12);
    assert_eq!(predicted(&bench, &form("multi.npz")).len(), 9, "its labels would be refused");
    assert_eq!(predicted(&bench, "sample").len(), 6800);
}

#[test]
fn predict_takes_lists_of_files() {
    let bench = trained();
    bench.pictures("pets/x", &["cat", "dog"], 0..2);
    let table = "bild;note\nx/cat/0.png;a\nx/dog/1.png;b\nx/dog/none.png;c\n";
    bench.write("pets/list.csv", table);
    bench.refuses("predict run pets/list.csv", 3, &["--file-column", "bild, note"]);
    let outcome = bench.run("predict run pets/list.csv --file-column bild --csv rows.csv");
    outcome.exits(8).complains("none.png: it is named in line 4");
    let rows = bench.text("rows.csv");
    assert_eq!(rows.lines().count(), 4, "{rows}");
    bench.write("list.jsonl", b"{\"file\": \"cat/0.png\"}\n");
    assert_eq!(predicted(&bench, "list.jsonl --image-dir pets/x").len(), 1);
}

#[test]
fn evaluate_finds_classes_by_name_in_every_form() {
    let bench = trained();
    let judged = |data: &str| bench.run(&format!("evaluate run {data} --json")).succeeds().json();
    let (parquet, npz) = (judged(&form("parquet")), judged(&form("names.npz")));
    assert_eq!((&parquet["part"], &parquet["images"]), (&"test".into(), &3.into()));
    assert_eq!((&npz["loss"], &npz["accuracy"]), (&parquet["loss"], &parquet["accuracy"]));
    let worst = &parquet["top_losses"][0];
    assert!(worst["file"].as_str().unwrap().contains("test-00000-of-00001.parquet/"), "{worst}");
    assert!(worst["loss"].as_f64() >= parquet["top_losses"][2]["loss"].as_f64());
    let probability = worst["probability"].as_f64().unwrap();
    assert!((0.3..=1.0).contains(&probability), "{worst}");
    bench.refuses(&format!("evaluate run {}", form("stored.npz")), 3, &["0", "dog, cat, bird"]);
}

/// What the best weights answer on the validation images lies in the run.
#[test]
fn a_run_holds_the_confusion_and_the_largest_losses() {
    let bench = trained();
    let result: Value = serde_json::from_str(&bench.text("run/evaluation.json")).unwrap();
    let epochs = bench.events("run", "epoch");
    assert_eq!(result["part"], "val");
    assert_eq!(result["images"].as_u64(), result["top_losses"].as_array().map(|list| list.len() as u64));
    assert!(epochs.iter().any(|epoch| epoch["val_loss"] == result["loss"]), "{result}");
    for name in ["run/confusion.png", "run/confusion.svg"] {
        assert!(bench.path(name).is_file(), "{name}");
    }
}
