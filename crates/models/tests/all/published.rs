//! What is listed of the architectures, against the metadata of torchvision's weights (`parity/architectures.py`).

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use serde_json::Value;
use wellfit_models::{architectures, cost, published, published_lite0};

fn torchvision() -> Value {
    serde_json::from_slice(include_bytes!("../fixtures/published.json")).unwrap()
}

/// Every file that the registry names, in its order, with torchvision's numbers to the last digit.
#[test]
fn accuracies_and_file_sizes_are_torchvisions() {
    let all = torchvision();
    let all = all["models"].as_object().unwrap();
    let mut found = 0;
    for architecture in architectures().filter(|architecture| !architecture.weight_files.is_empty()) {
        let rows = all[architecture.name].as_array().unwrap();
        let files: Vec<&str> = rows.iter().map(|row| row["file"].as_str().unwrap()).collect();
        assert_eq!(architecture.weight_files, files, "{}", architecture.name);
        for row in rows {
            let ours = published(row["file"].as_str().unwrap()).unwrap();
            let numbers = ["top1", "top5", "mib"].map(|key| row[key].as_f64().unwrap());
            assert_eq!([ours.top1, ours.top5, ours.mib], numbers, "{}", ours.weights);
            found += 1;
        }
    }
    assert_eq!(found, 18);
    assert_eq!(all.len(), 11);
}

/// torchvision rounds multiply-adds to a thousandth of 10⁹, so half a thousandth is all that may be between.
#[test]
fn parameters_and_multiply_adds_are_torchvisions() {
    for (name, rows) in torchvision()["models"].as_object().unwrap() {
        let (cost, row) = (cost(name).unwrap(), &rows[0]);
        assert_eq!(cost.parameters as u64, row["parameters"].as_u64().unwrap(), "{name}");
        let (ours, theirs) = (cost.multiply_adds as f64 / 1e9, row["giga_multiply_adds"].as_f64().unwrap());
        assert!((ours - theirs).abs() <= 0.000_500_1, "{name}: {ours}, not {theirs}");
        // A file holds names and counters beside the numbers: at most 1.5 % in the smallest network.
        let (bytes, file) = (cost.bytes() as f64, row["mib"].as_f64().unwrap() * f64::from(1 << 20));
        assert!(bytes < file && file < 1.015 * bytes, "{name}: {bytes} and {file}");
    }
}

/// EfficientNet-Lite0: 4.65 million parameters and 0.407·10⁹ multiply-adds in the table of its authors; its file's
/// size is that of its numbers. Networks without published weights are counted for Fashion-MNIST.
#[test]
fn the_others_are_counted_as_well() {
    let lite = cost("efficientnet_lite0").unwrap();
    assert_eq!(lite.parameters, 4_652_008);
    assert!((lite.multiply_adds as f64 / 1e9 - 0.384).abs() < 0.025, "{}", lite.multiply_adds);
    let listed = published_lite0().unwrap();
    assert!((lite.bytes() as f64 / f64::from(1 << 20) - listed.mib).abs() < 0.06);
    let small = cost("mlp").unwrap();
    assert_eq!((small.input.len(), small.classes, small.parameters), (784, 10, 39_106));
    // 784·48 + 48·24 + 24·10.
    assert_eq!(small.multiply_adds, 39_024);
    assert!(architectures().all(|architecture| cost(architecture.name).is_ok()));
    assert!(cost("resnet51").is_err());
}
