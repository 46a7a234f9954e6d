//! Logs that the tools themselves wrote (`parity/logs.py`), and our own record of the same numbers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_diagnose::{Asked, Curves, Diagnosis, Format, Name, Series, diagnose, log};
use wellfit_record::{EpochRecord, Event, Metric, Metrics, RunWriter};

#[derive(Deserialize, Clone)]
struct Row {
    epoch: u32,
    train_loss: f64,
    val_loss: f64,
    train_accuracy: f64,
    val_accuracy: f64,
    lr: f64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")
}

fn rows() -> Vec<Row> {
    serde_json::from_slice(&fs::read(folder().join("numbers.json")).unwrap()).unwrap()
}

fn asked() -> Asked {
    Asked { n_val: Some(2000), classes: Some(10), ..Asked::default() }
}

fn own_run(dir: &Path) -> PathBuf {
    let path = dir.join("run");
    let mut run = RunWriter::create(Some(&path), "mlp", false).unwrap();
    let toml = "name = 'a'\ncommand = ''\ncreated = ''\nwellfit_version = ''\nseed = 0\nlr_scheduler = false\n\
        early_stopping = false\nclasses = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']\ntransform = []\n\
        [data]\nname = ''\nfingerprint = ''\ntrain = 8000\nval = 2000\ntest = 1\n\
        [model]\nname = ''\nparameters = 1\ntrainable = 1\n[config]\nlr = 0.001\nepochs = 14\nweight_decay = 1e-4\n";
    let info: toml::Table = toml.parse().unwrap();
    run.write_run_toml(&info).unwrap();
    for row in rows() {
        let values = [row.train_loss, row.train_accuracy, row.val_loss, row.val_accuracy];
        let named = [Metric::TRAIN_LOSS, Metric::TRAIN_ACCURACY, Metric::VAL_LOSS, Metric::VAL_ACCURACY];
        let metrics: Metrics = named.into_iter().zip(values).collect();
        let record =
            EpochRecord { epoch: row.epoch, metrics, lr: row.lr, train_seconds: 1.0, ..Default::default() };
        run.event(&Event::Epoch(record)).unwrap();
    }
    path
}

fn found(diagnosis: &Diagnosis) -> Vec<(Name, Option<u32>)> {
    diagnosis.findings.iter().map(|finding| (finding.name, finding.onset)).collect()
}

/// The series of a log, to the digits that the tool keeps: TensorBoard's are of single precision, fastai's training loss is a
/// running mean that has not quite forgotten the epoch before, and its metrics are of single precision.
fn assert_same(curves: &Curves, file: &str) {
    let rows = rows();
    assert_eq!(curves.epochs, rows.iter().map(|row| row.epoch).collect::<Vec<_>>(), "{file}");
    let tolerance = |series| match (file, series) {
        ("fastai-history.csv", Series::TrainLoss) => 2e-3,
        _ => 1e-6,
    };
    for (series, value) in [
        (Series::TrainLoss, (|row| row.train_loss) as fn(&Row) -> f64),
        (Series::ValLoss, |row| row.val_loss),
        (Series::TrainAccuracy, |row| row.train_accuracy),
        (Series::ValAccuracy, |row| row.val_accuracy),
        (Series::Lr, |row| row.lr),
    ] {
        for (read, row) in curves.values(series).iter().zip(&rows) {
            let off = (read.unwrap() - value(row)).abs();
            assert!(off <= tolerance(series), "{file}, {series} of epoch {}: {off}", row.epoch);
        }
    }
}

#[test]
fn every_log_gives_what_our_own_record_gives() {
    use Series::{Lr, TrainAccuracy, TrainLoss, ValAccuracy, ValLoss};
    let temporary = tempfile::tempdir().unwrap();
    let own = log::of_path(&own_run(temporary.path()), &asked()).unwrap();
    assert_same(&own, "our own");
    let expected = found(&diagnose(&own));
    // The least validation loss is that of epoch 5, and the accuracy falls after it.
    assert_eq!(expected[0].0, Name::Overfitting, "{expected:?}");
    assert_eq!(expected[0].1, Some(5));
    let all = [TrainLoss, TrainAccuracy, ValLoss, ValAccuracy, Lr];
    let without_accuracy = [TrainLoss, ValLoss, ValAccuracy, Lr];
    for (file, format, series) in [
        ("lightning-metrics.csv", Format::Lightning, &all[..]),
        ("lightning-tensorboard", Format::TensorBoard, &all),
        ("keras-training.log", Format::Keras, &all),
        ("keras-tensorboard", Format::TensorBoard, &all),
        ("torch-tensorboard", Format::TensorBoard, &all),
        ("torch-tensorboard/events.out.tfevents.1", Format::TensorBoard, &all),
        ("fastai-history.csv", Format::Fastai, &without_accuracy[..3]),
        ("ultralytics-results.csv", Format::Ultralytics, &without_accuracy),
        ("ultralytics-padded.csv", Format::Ultralytics, &without_accuracy),
        ("timm-summary.csv", Format::Timm, &without_accuracy),
        ("huggingface-trainer_state.json", Format::HuggingFace, &without_accuracy),
        ("wandb-history.csv", Format::Wandb, &all),
        ("wandb-chart.csv", Format::Wandb, &without_accuracy[..3]),
    ] {
        let curves = log::of_path(&folder().join(file), &asked()).unwrap();
        assert_eq!(curves.format, format, "{file}");
        let mut names: Vec<Series> =
            curves.names().filter(|series| !matches!(series, Series::GradNorm)).collect();
        names.sort();
        let mut wanted = series.to_vec();
        wanted.sort();
        assert_eq!(names, wanted, "{file}");
        assert_same(&curves, file);
        let needs_train_accuracy = |name: Name| name == Name::GeneralizationGap && series.len() < all.len();
        let same: Vec<_> =
            expected.iter().copied().filter(|(name, _)| !needs_train_accuracy(*name)).collect();
        assert_eq!(found(&diagnose(&curves)), same, "{file}");
    }
}

fn of(text: &str) -> Curves {
    log::of_bytes(text.into(), "f", &asked()).unwrap()
}

fn problem(text: &str, asked: &Asked) -> String {
    log::of_bytes(text.into(), "f", asked).unwrap_err().to_string()
}

#[test]
fn names_units_and_counting_are_understood() {
    let percent = of("Epoch;Train Loss;Train Acc;Val Loss;Val Acc\n1;0,5;60,5;0,6;55\n2;0,4;70;0,5;60\n");
    assert_eq!(percent.epochs, [1, 2]);
    assert_eq!(percent.values(Series::TrainAccuracy), [Some(0.605), Some(0.7)]);
    assert_eq!(percent.values(Series::ValAccuracy), [Some(0.55), Some(0.6)]);
    let error = of("epoch,train_loss,valid_loss,error_rate,time\n0,1,2,0.25,00:01\n");
    assert_eq!((error.format, error.values(Series::ValAccuracy)), (Format::Fastai, &[Some(0.75)][..]));
    let appended = of(
        "epoch,train_loss,valid_loss,time\n0,3,3,00:01\n1,2,2,00:01\nepoch,train_loss,valid_loss,time\n0,1,1,00:01\n",
    );
    assert_eq!(appended.epochs, [1, 2, 3]);
    assert_eq!(appended.notes.len(), 1);
    let steps = of("step,train_loss,val_loss\n10,4,\n20,2,\n20,,5\n30,1,\n40,1,4\n");
    assert_eq!(steps.epochs, [1, 2]);
    assert_eq!(steps.values(Series::TrainLoss), [Some(3.0), Some(1.0)]);
    assert_eq!(steps.values(Series::ValLoss), [Some(5.0), Some(4.0)]);
    let alone = of("0.5\n0.4\n");
    assert_eq!(alone.values(Series::ValLoss), [Some(0.5), Some(0.4)]);
    let keras = of("epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,NA,0.5,nan\n");
    assert!(keras.values(Series::ValLoss)[0].unwrap().is_nan());
    assert!(!keras.has(Series::TrainLoss));
    let gaps = of("epoch,train_loss,val_loss\n1,1,1\n97,0.5,0.5\n");
    assert_eq!(gaps.epochs, [1, 97]);
    let history = of("{\"loss\": [0.5, 0.4], \"val_loss\": [0.6, 0.5], \"accuracy\": [0.1, 0.2]}");
    assert_eq!(history.values(Series::TrainAccuracy), [Some(0.1), Some(0.2)]);
}

#[test]
fn columns_are_chosen_and_problems_are_told() {
    let text = "e,a,b,c\n1,0.5,0.6,7\n2,0.4,0.5,8\n";
    let chosen = Asked::default().with_columns("train_loss=a,val_loss=b,epoch=e").unwrap();
    let curves = log::of_bytes(text.into(), "f", &chosen).unwrap();
    assert_eq!(
        (curves.epochs.clone(), curves.values(Series::ValLoss).to_vec()),
        (vec![1, 2], vec![Some(0.6), Some(0.5)])
    );
    assert_eq!(
        problem(text, &Asked::default()),
        "f has no column whose name says that it is a loss or an accuracy: name them with --columns \
         train_loss=…,val_loss=…; it has e, a, b, c"
    );
    let wrong = Asked::default().with_columns("val_loss=d").unwrap();
    assert_eq!(problem(text, &wrong), "f has no column `d`; it has e, a, b, c");
    let unknown = Asked::default().with_columns("loss=a").unwrap_err().to_string();
    assert!(unknown.starts_with("there is no series `loss`; known are epoch, train_loss,"), "{unknown}");
    assert_eq!(
        problem("Step,a - val_loss,b - val_loss\n1,2,3\n", &Asked::default()),
        "f has two columns for val_loss, `a - val_loss` and `b - val_loss`: choose with --columns val_loss=a - val_loss"
    );
    assert_eq!(
        problem("1,2\n3,4\n", &Asked::default()),
        "f has columns without names: put a line of names first"
    );
    assert_eq!(problem("epoch,val_loss\n1,x\n", &Asked::default()), "f, line 2: `x` is not a number");
    for empty in ["", "epoch,val_loss\n", "{}", "[]"] {
        assert!(problem(empty, &Asked::default()).starts_with("f holds no metrics"), "{empty:?}");
    }
}

#[test]
fn damaged_event_files_are_refused_and_torn_ones_read() {
    let bytes = fs::read(events_file()).unwrap();
    let mut damaged = bytes.clone();
    let place = damaged.len() / 2;
    damaged[place] ^= 1;
    let problem = log::of_bytes(damaged, "f", &asked()).unwrap_err().to_string();
    assert!(problem.contains("its CRC-32C is wrong"), "{problem}");
    let torn = log::of_bytes(bytes[..bytes.len() - 5].to_vec(), "f", &asked()).unwrap();
    assert_eq!((torn.epochs.len(), torn.notes.len()), (14, 1), "{:?}", torn.notes);
}

#[test]
fn a_folder_of_several_trainings_is_not_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(events_file()).unwrap();
    for version in ["version_0", "version_1"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        fs::write(folder.path().join(version).join("events.out.tfevents.1"), &bytes).unwrap();
    }
    let problem = log::of_path(folder.path(), &asked()).unwrap_err().to_string();
    assert!(
        problem.contains("has several trainings: name one, ") && problem.contains("version_1"),
        "{problem}"
    );
    log::of_path(&folder.path().join("version_0"), &asked()).unwrap();
}

fn events_file() -> PathBuf {
    folder().join("torch-tensorboard/events.out.tfevents.1")
}
