//! Runs through the library, several in one process.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;
use wellfit_models::Precision;
use wellfit_plot::Paint;
use wellfit_run::options::PrecisionName;
use wellfit_run::{Classifier, DataSource, Notice, Observer, PictureFormat, RunSpec, plots, resume, train};
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
    DataSource::from(folder.to_str().unwrap())
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

/// In bf16, too, the bits do not depend on threads; and they are others than in f32. The run's weights are used in the
/// precision that they were trained in.
#[test]
fn a_run_in_bf16_has_the_same_bits_on_any_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    pictures(&folder.join("pets"));
    let ending = |name: &str, threads: usize, precision: PrecisionName| {
        let (out, mut lines) = (folder.join(name), Lines::default());
        let spec = RunSpec { precision, ..spec(false) };
        let data = source(&folder.join("pets"));
        let threads = Threads::new(threads).unwrap();
        threads.run(|| train(&spec, &data, &out.as_path().into(), &mut lines)).unwrap();
        let told = lines.0.iter().filter(|line| line.starts_with("Precision: ")).cloned().collect::<Vec<_>>();
        (fs::read(out.join("model.safetensors")).unwrap(), fs::read(out.join("steps.jsonl")).unwrap(), told)
    };
    let (one, three) = (ending("one", 1, PrecisionName::Bf16), ending("three", 3, PrecisionName::Bf16));
    assert!(one == three);
    assert!(one.2.len() == 1 && one.2[0].starts_with("Precision: bf16"), "{:?}", one.2);
    let exact = ending("exact", 2, PrecisionName::F32);
    assert!(exact.0 != one.0 && exact.2.is_empty());
    // What `auto` was decides how the run goes on anywhere.
    let chosen = ending("chosen", 2, PrecisionName::Auto);
    let same = if PrecisionName::Auto.resolve() == Precision::Bf16 { &one } else { &exact };
    assert!(chosen.0 == same.0 && chosen.2[0].contains("since this processor has"), "{:?}", chosen.2);
    let kept = fs::read_to_string(folder.join("chosen/run.toml")).unwrap();
    assert!(kept.contains(&format!("precision = \"{}\"", PrecisionName::Auto.resolve().name())), "{kept}");
    // The same weights, opened as a run and without one.
    let files = [folder.join("pets/dog/1.png")];
    let run = Classifier::open(&folder.join("one")).unwrap();
    let plain = Classifier::open(&folder.join("one/model.safetensors")).unwrap();
    let logits = |classifier: &Classifier| classifier.predict_files(&files).unwrap().remove(0).logits;
    assert_ne!(logits(&run), logits(&plain));
    assert_eq!(logits(&run), logits(&plain.with_precision(Precision::Bf16)));
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
    assert!(
        lines.0.iter().any(|line| line == "Data: pets, 10 training, 2 validation images, 2 classes"),
        "{:?}",
        lines.0
    );
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

    let plots = plots(&wellfit_record::RunDir::open(&run).unwrap()).unwrap();
    let files = plots.files(&[PictureFormat::Png, PictureFormat::Svg], false).unwrap();
    assert_eq!(files.len(), 4);
    for (name, bytes) in files {
        assert!(bytes == fs::read(run.join(&name)).unwrap(), "{name}");
    }
    let best = &outcome.best;
    for (stem, chart) in &plots.charts {
        assert!(
            chart.title.ends_with(" of run") && chart.title.to_lowercase().starts_with(stem),
            "{}",
            chart.title
        );
        let accuracy = format!("{:.1} %", 100.0 * best.val_accuracy());
        assert!(
            chart.subtitle.starts_with(&format!("best epoch {} of 3: ", best.epoch)),
            "{}",
            chart.subtitle
        );
        assert!(chart.subtitle.contains(&accuracy), "{}", chart.subtitle);
        assert!(chart.lines.iter().map(|line| line.color).eq([Paint::TRAIN, Paint::VALIDATION]));
    }
    let again = resume(&run, &Default::default(), &mut ()).unwrap();
    assert!(matches!(again, wellfit_run::Resumed::Finished { .. }));
}
