//! Damaged logs: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use wellfit_diagnose::{Asked, LogError, diagnose, log};
use wellfit_fuzz::{Target, as_it_is, fuzz, fuzz_with, scratch};

fn seed(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name)).unwrap()
}

fn read(bytes: &[u8]) -> Result<usize, LogError> {
    let asked = Asked { n_val: Some(100), classes: Some(10), ..Asked::default() };
    log::of_bytes(bytes.to_vec(), "log", &asked).map(|curves| diagnose(&curves).findings.len())
}

#[test]
fn damaged_tables_are_refused_in_peace() {
    let names = [
        "lightning-metrics.csv",
        "keras-training.log",
        "fastai-history.csv",
        "huggingface-trainer_state.json",
    ];
    let tokens: [&[u8]; 8] = [b"epoch", b"val_loss", b"nan", b"1e999", b"4294967295", b",", b"\n", b"-"];
    let target = Target { name: "logs", seeds: &names.map(seed), tokens: &tokens, repair: as_it_is };
    fuzz(&target, read);
}

/// The checksums of records are made right again, so that damage reaches the events in them.
fn with_sums(bytes: &mut [u8]) {
    let masked =
        |bytes: &[u8]| crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    let mut rest = bytes;
    while rest.len() >= 12 {
        let (head, after) = rest.split_at_mut(12);
        let length = u64::from_le_bytes(*head.first_chunk().unwrap());
        let sum = masked(&head[..8]);
        head[8..].copy_from_slice(&sum);
        let Some((content, after)) =
            usize::try_from(length).ok().and_then(|length| after.split_at_mut_checked(length))
        else {
            return;
        };
        let Some((sum, after)) = after.split_first_chunk_mut::<4>() else { return };
        *sum = masked(content);
        rest = after;
    }
}

#[test]
fn damaged_event_files_are_refused_in_peace() {
    let names =
        ["torch-tensorboard/events.out.tfevents.1", "keras-tensorboard/validation/events.out.tfevents.1"];
    let tokens: [&[u8]; 3] = [b"epoch_loss", b"Loss/val", &[0xff; 8]];
    let target = Target { name: "events", seeds: &names.map(seed), tokens: &tokens, repair: with_sums };
    fuzz(&target, read);
}

/// A small real run, of which one file after the other is damaged: lists that are too short, layers that are not there.
#[test]
fn damaged_runs_are_diagnosed_in_peace() {
    let files = ["run.toml", "events.jsonl", "statistics.jsonl", "steps.jsonl"];
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/run");
    let tokens: [&[u8]; 12] = [
        b"[]",
        b"null",
        b"\"NaN\"",
        b"\"-inf\"",
        b"-1",
        b"1e308",
        b"4294967295",
        b"18446744073709551615",
        b"\n",
        b"\"row\":\"run\"",
        b"\"row\":\"epoch\"",
        b"\"layers\":[\"a\",\"b\"]",
    ];
    for name in files {
        let dir = scratch(&format!("run-{name}"));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for name in files {
            fs::copy(fixture.join(name), dir.join(name)).unwrap();
        }
        let seeds = [fs::read(fixture.join(name)).unwrap()];
        let target = Target { name, seeds: &seeds, tokens: &tokens, repair: as_it_is };
        fuzz_with(&target, 1000, |bytes| {
            fs::write(dir.join(name), bytes).unwrap();
            log::of_path(&dir, &Asked::default()).map(|curves| diagnose(&curves).findings.len())
        });
        fs::remove_dir_all(&dir).unwrap();
    }
}
