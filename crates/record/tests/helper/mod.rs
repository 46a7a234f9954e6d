//! What several tests need.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use wellfit_record::{
    Blob, CheckpointInfo, Commit, DataInfo, Disk, EpochRecord, Event, Io, Metric, ModelInfo, RunInfo,
    RunWriter, StopReason,
};

pub const SMALL: &[(&str, &[u8])] = &[("model.safetensors", b"the weights"), ("state.bin", &[0, 255, 7])];

pub fn info(name: &str) -> RunInfo {
    RunInfo {
        name: name.to_owned(),
        command: "wellfit train shirts --epochs 3".to_owned(),
        created: "2025-07-01T12:30:00Z".to_owned(),
        wellfit_version: "0.1.0".to_owned(),
        seed: u64::MAX,
        lr_scheduler: true,
        early_stopping: false,
        model_file: Some("model.safetensors".to_owned()),
        classes: vec!["not hot dog".to_owned(), "hot dog \"é\"".to_owned()],
        data: DataInfo {
            name: "shirts".to_owned(),
            fingerprint: "ab12".to_owned(),
            train: 498,
            val: 0,
            test: 500,
        },
        model: ModelInfo { name: "resnet50".to_owned(), parameters: 25_557_032, trainable: 4_098 },
        transform: toml::Value::from(vec!["resize 224x224", "flip"]),
        config: toml::Value::Table(toml::toml! {
            lr = 0.001
            [scheduler]
            patience = 5
        }),
    }
}

/// An epoch whose numbers all differ, so that mixed-up fields are noticed.
pub fn epoch(epoch: u32, val_loss: f64) -> EpochRecord {
    EpochRecord {
        epoch,
        step: u64::from(epoch) * 10,
        metrics: Metric::ALL.into_iter().zip([0.1 + 0.2, 1.0 / 3.0, val_loss, 0.75]).collect(),
        lr: 1e-6,
        seconds: 2.5,
        train_seconds: 2.0,
        val_seconds: 0.5,
        data_wait_seconds: 0.25,
        images_per_second: f64::INFINITY,
    }
}

pub fn warning(message: &str) -> Event {
    Event::Warning { message: message.to_owned() }
}

pub fn stop(reason: StopReason, epoch: u32) -> Event {
    Event::Stop {
        reason,
        message: "enough".to_owned(),
        epoch,
        best_epoch: Some(1),
        best_value: Some(f64::NEG_INFINITY),
        time: "2025-07-01T13:30:00Z".to_owned(),
    }
}

pub fn at(epoch: u32) -> CheckpointInfo {
    let metrics = BTreeMap::from([("val_loss".to_owned(), f64::NAN)]);
    CheckpointInfo { epoch, step: u64::from(epoch) * 10, metrics }
}

/// A checkpoint of [`SMALL`] and that file, after so many epochs.
pub fn with(name: &str, keep: usize, (file, content): (&str, &Blob), epoch: u32) -> Commit {
    let small = SMALL.iter().map(|&(name, bytes)| (name.to_owned(), Blob::new(bytes.to_vec())));
    let files = small.chain([(file.to_owned(), content.clone())]).collect();
    Commit { name: name.to_owned(), keep, files, info: at(epoch) }
}

/// A fresh run with its `run.toml`.
pub fn fresh(dir: &Path) -> RunWriter {
    fresh_on(Arc::new(Disk), dir)
}

pub fn fresh_on(io: Arc<dyn Io>, dir: &Path) -> RunWriter {
    let mut run = RunWriter::create_at(io, dir, false).unwrap();
    run.write_run_toml(&info(&run.name())).unwrap();
    run
}
