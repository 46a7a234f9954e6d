//! Runs through the library, several in one process.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;
use wellfit_run::{Classifier, DataSource, Notice, Observer, RunSpec, Validation, plots, resume, train};
use wellfit_simd::Threads;
use wellfit_train::Callback;

/// Two classes of six pictures; the main colour tells the class.
fn pictures(folder: &Path) {
    for (class, name) in ["cat", "dog"].into_iter().enumerate() {
        fs::create_dir_all(folder.join(name)).unwrap();
        for number in 0..6_u32 {
            let image = RgbImage::from_fn(16, 16, |x, y| {
                let noise = (x * 31 + y * 17 + number * 71) % 97;
                let level = |channel: usize| if channel == class { 150 + noise } else { 60 + noise };
                Rgb([0, 1, 2].map(|channel| level(channel) as u8))
            });
            image.save(folder.join(name).join(format!("{number}.png"))).unwrap();
        }
    }
}

fn source(folder: &Path) -> DataSource {
    DataSource { data: folder.to_str().unwrap().to_owned(), dir: None, validation: Validation::Split }
}

fn spec(exact_conv: bool) -> RunSpec {
    RunSpec {
        model: "resnet18".to_owned(),
        image_size: 32,
        epochs: 1,
        batch_size: 5,
        exact_conv,
        ..RunSpec::for_folder()
    }
}

/// What a run with so many threads leaves: the weights and every step's loss.
fn ending(folder: &Path, name: &str, threads: usize, exact_conv: bool) -> (Vec<u8>, Vec<u8>) {
    let out = folder.join(name);
    let threads = Threads::new(threads).unwrap();
    let outcome = threads
        .run(|| train(&spec(exact_conv), &source(&folder.join("pets")), &out.as_path().into(), &mut ()))
        .unwrap();
    assert_eq!(outcome.model, out.join("model.safetensors"));
    (fs::read(outcome.model).unwrap(), fs::read(out.join("steps.jsonl")).unwrap())
}

#[test]
fn two_runs_at_a_time_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    pictures(&folder.join("pets"));
    let (fast, exact) = (ending(folder, "fast", 2, false), ending(folder, "exact", 1, true));
    assert!(fast != exact, "the two ways of summing give other bits");
    let both = std::thread::scope(|scope| {
        let first = scope.spawn(|| ending(folder, "fast-beside", 1, false));
        let second = scope.spawn(|| ending(folder, "exact-beside", 2, true));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert!(both.0 == fast, "a run beside an exact one");
    assert!(both.1 == exact, "an exact run beside another");
}

/// Collects the notices of a run.
#[derive(Default)]
struct Lines(Vec<String>);

impl Callback for Lines {}

impl Observer for Lines {
    fn notice(&mut self, notice: &Notice) {
        self.0.push(notice.to_string());
    }
}

#[test]
fn a_run_is_trained_used_and_drawn_without_a_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    pictures(&folder.join("pets"));
    let spec =
        RunSpec { model: "mlp".to_owned(), image_size: 16, epochs: 3, freeze: true, ..RunSpec::for_folder() };
    let mut lines = Lines::default();
    let run = folder.join("run");
    let outcome = train(&spec, &source(&folder.join("pets")), &run.as_path().into(), &mut lines).unwrap();
    assert!(
        lines.0.contains(&"`freeze` without `weights` trains a head on random features".to_owned()),
        "{:?}",
        lines.0
    );
    assert!(lines.0.iter().any(|line| line == "pets: 10 training, 2 validation, 2 classes"), "{:?}", lines.0);
    assert_eq!(outcome.epochs.len(), 3);

    let classifier = Classifier::open(&run).unwrap();
    let files: Vec<_> = (0..3).map(|n| folder.join(format!("pets/dog/{n}.png"))).collect();
    let together = classifier.predict_files(&files).unwrap();
    let alone: Vec<_> =
        files.iter().map(|file| classifier.predict_files(&[file]).unwrap().remove(0)).collect();
    assert_eq!(together, alone, "an image's bits do not depend on the batch");
    let images: Vec<_> = files.iter().map(|file| wellfit_images::decode_file(file).unwrap()).collect();
    assert_eq!(classifier.predict(&images).unwrap(), together);
    let ranks = together[0].ranks();
    assert!(ranks[0].1 >= ranks[1].1 && (ranks[0].1 + ranks[1].1 - 1.0).abs() < 1e-6, "{ranks:?}");

    for (name, chart) in plots(&wellfit_record::RunDir::open(&run).unwrap()).unwrap().charts {
        let drawn = folder.join(format!("{name}.png"));
        chart.draw().save_png(&drawn).unwrap();
        assert!(fs::read(drawn).unwrap() == fs::read(run.join(format!("{name}.png"))).unwrap(), "{name}");
    }
    let again = resume(&run, &Default::default(), &mut ()).unwrap();
    assert!(matches!(again, wellfit_run::Resumed::Finished));
}
