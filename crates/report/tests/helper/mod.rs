//! Runs on disk, made without training.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and not each uses all")]

use serde_json::json;
use std::path::Path;
use wellfit_record::{
    DataInfo, EpochRecord, Event, Metric, Metrics, ModelInfo, RunInfo, RunWriter, StopReason, now,
};
use wellfit_report::{PICTURES, Pictures, Shot, in_base64};

/// A run of so many epochs that overfits from the middle on, with these two classes.
pub fn run(dir: &Path, epochs: u32, classes: [&str; 2]) {
    let mut run = RunWriter::create(Some(dir), "mlp", false).unwrap();
    let names = classes.map(str::to_owned);
    run.write_run_toml(&RunInfo {
        name: run.name(),
        command: "wellfit train photos --model mlp".to_owned(),
        created: "2026-11-27T10:00:00Z".to_owned(),
        wellfit_version: "0.1.0".to_owned(),
        seed: 7,
        lr_scheduler: false,
        early_stopping: false,
        model_file: None,
        classes: names.to_vec(),
        data: DataInfo {
            name: "photos".to_owned(),
            fingerprint: "ab12".to_owned(),
            train: 80,
            val: 20,
            test: 0,
        },
        model: ModelInfo { name: "mlp".to_owned(), parameters: 1234, trainable: 1234 },
        transform: toml::Value::String("none".to_owned()),
        config: toml::from_str("lr = 0.01\nepochs = 30\nbatch_size = 8").unwrap(),
    })
    .unwrap();
    for epoch in 1..=epochs {
        let place = f64::from(epoch) / f64::from(epochs);
        let val_loss = 0.4 + (place - 0.5) * (place - 0.5) * 4.0;
        let metrics: Metrics = [
            (Metric::TRAIN_LOSS, 1.2 * (1.0 - place) + 0.01),
            (Metric::TRAIN_ACCURACY, 0.5 + 0.49 * place),
            (Metric::VAL_LOSS, val_loss),
            (Metric::VAL_ACCURACY, 0.9 - val_loss / 4.0),
        ]
        .into_iter()
        .collect();
        let record = EpochRecord {
            epoch,
            step: u64::from(epoch) * 10,
            metrics,
            lr: if place > 0.7 { 0.001 } else { 0.01 },
            seconds: 2.5,
            train_seconds: 2.0,
            val_seconds: 0.5,
            data_wait_seconds: 0.1,
            images_per_second: 40.0,
        };
        run.event(&Event::Epoch(record)).unwrap();
    }
    let middle = epochs * 7 / 10;
    let change =
        Event::LrChange { epoch: middle, from: 0.01, to: 0.001, reason: "no improvement".to_owned() };
    run.event(&change).unwrap();
    run.event(&Event::Stop {
        reason: StopReason::Finished,
        message: "all epochs are done".to_owned(),
        epoch: epochs,
        best_epoch: Some(epochs.div_ceil(2)),
        best_value: Some(0.4),
        time: now(),
    })
    .unwrap();
    let [first, second] = classes;
    let evaluation = json!({
        "part": "val", "images": 20, "loss": 0.4, "accuracy": 0.85, "accuracy_interval_95": [0.64, 0.948],
        "macro_f1": 0.84, "macro_f1_interval_95": [0.61, 0.95], "weighted_f1": 0.85, "balanced_accuracy": 0.845,
        "auc": 0.912, "top5_accuracy": null, "class_names": names, "confusion_matrix": [[9, 1], [2, 8]],
        "classes": [
            { "class": first, "images": 10, "predicted": 11, "right": 9, "precision": 0.818, "recall": 0.9, "f1": 0.857 },
            { "class": second, "images": 10, "predicted": 9, "right": 8, "precision": 0.889, "recall": 0.8, "f1": 0.842 },
        ],
        "confused": [{ "class": second, "predicted": first, "images": 2 }],
        "top_losses": [], "calibration": { "ece": 0.061, "temperature": 1.2, "ece_with_temperature": null, "bins": [] },
    });
    run.write_file("evaluation.json", evaluation.to_string().as_bytes()).unwrap();
    let shot = |label: &str, predicted: Option<&str>| Shot {
        file: Some(format!("photos/val/{label}/1.jpg")),
        label: label.to_owned(),
        predicted: predicted.map(str::to_owned),
        probability: predicted.map(|_| 0.97),
        size: (8, 8),
        jpeg: in_base64(JPEG),
        heat: predicted.map(|_| in_base64(JPEG)),
    };
    let pictures = Pictures {
        mistakes: vec![shot(second, Some(first))],
        seen: vec![shot(first, None), shot(second, None)],
        augmentations: vec!["horizontal flip".to_owned()],
    };
    run.write_file(PICTURES, &serde_json::to_vec(&pictures).unwrap()).unwrap();
}

/// A grey picture of 1 × 1 pixels.
const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x03, 0x02, 0x02, 0x02, 0x02, 0x02, 0x03, 0x02, 0x02, 0x02,
    0x03, 0x03, 0x03, 0x03, 0x04, 0x06, 0x04, 0x04, 0x04, 0x04, 0x04, 0x08, 0x06, 0x06, 0x05, 0x06, 0x09,
    0x08, 0x0a, 0x0a, 0x09, 0x08, 0x09, 0x09, 0x0a, 0x0c, 0x0f, 0x0c, 0x0a, 0x0b, 0x0e, 0x0b, 0x09, 0x09,
    0x0d, 0x11, 0x0d, 0x0e, 0x0f, 0x10, 0x10, 0x11, 0x10, 0x0a, 0x0c, 0x12, 0x13, 0x12, 0x10, 0x13, 0x0f,
    0x10, 0x10, 0x10, 0xff, 0xc9, 0x00, 0x0b, 0x08, 0x00, 0x01, 0x00, 0x01, 0x01, 0x01, 0x11, 0x00, 0xff,
    0xcc, 0x00, 0x06, 0x00, 0x10, 0x10, 0x05, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f, 0x00,
    0xd2, 0xcf, 0x20, 0xff, 0xd9,
];
