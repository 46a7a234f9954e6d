//! Curves for other tools: what is written is what was recorded.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use helper::run;
use wellfit_diagnose::{Asked, Curves, Series, log};
use wellfit_record::StepRecord;
use wellfit_report::{RunReport, rows, tensorboard};

fn report(epochs: u32) -> (tempfile::TempDir, RunReport) {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("run"), epochs, ["cat", "dog"]);
    let report = RunReport::read(&folder.path().join("run")).unwrap();
    (folder, report)
}

/// Of a curve, in single precision, as TensorBoard has it.
fn single(curves: &Curves, series: Series) -> Vec<f32> {
    curves.points(series).into_iter().map(|(_, value)| value as f32).collect()
}

/// Our own reader of other tools' logs takes all three files for what they are.
#[test]
fn exported_curves_are_read_back() {
    let (_folder, report) = report(20);
    let files = [
        ("log.csv", rows::csv(&report).unwrap()),
        ("log.jsonl", rows::json_lines(&report)),
        ("events.out.tfevents.1.x", tensorboard::events(&report, &[]).0),
    ];
    for (name, bytes) in files {
        let curves = log::of_bytes(bytes, name, &Asked::default()).unwrap();
        assert_eq!(curves.epochs.len(), 20, "{name}");
        let expected: Vec<f32> = report.epochs.iter().map(|epoch| epoch.val_loss() as f32).collect();
        assert_eq!(single(&curves, Series::ValLoss), expected, "{name}");
        let expected: Vec<f32> = report.epochs.iter().map(|epoch| epoch.train_accuracy() as f32).collect();
        assert_eq!(single(&curves, Series::TrainAccuracy), expected, "{name}");
    }
}

#[test]
fn event_files_begin_with_their_version_and_hold_each_step() {
    let (_folder, report) = report(2);
    let steps = [StepRecord::of_one(1, 1, 0.01, 0.5), StepRecord::of_one(2, 11, 0.01, f64::NAN)];
    let (file, _) = tensorboard::events(&report, &steps);
    // The frame of torch's `SummaryWriter`: length, sum, then `wall_time` and `file_version` of the event.
    assert_eq!(file[..8], 24_u64.to_le_bytes());
    assert_eq!(&file[12 + 9..12 + 9 + 15], b"\x1a\x0dbrain.Event:2");
    assert_eq!(file.windows(9).filter(|part| part == b"step/loss").count(), 2);
    assert_eq!(tensorboard::file_name("2026-11-27T10:00:00Z"), "events.out.tfevents.1795773600.wellfit");
}
