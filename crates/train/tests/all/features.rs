//! Training a head from cached features: the bits of training it from the images.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wellfit_data::augment::{Augmentation, Effect};
use wellfit_data::{Augmentations, Cache, Dataset, Images, Loader, LoaderOptions, Preprocessing};
use wellfit_kernels::Buffer;
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Value;
use wellfit_models::{Cpu, DropoutKey, Engine, ModelError, Network, Shape, TrainingPass, build};
use wellfit_rng::{Rng, Stream};
use wellfit_train::features::Source;
use wellfit_train::{FitConfig, fit};

/// `n` image files of 12 × 10 pixels of noise.
fn dataset(dir: &std::path::Path, n: u32) -> Dataset {
    let write = |i: u32| -> PathBuf {
        let mut rng = Rng::new(1, Stream::Noise, 0, i);
        let pixels: Vec<u8> = (0..360).map(|_| rng.below(256) as u8).collect();
        let path = dir.join(format!("{i}.ppm"));
        std::fs::write(&path, [b"P6 10 12 255\n", &pixels[..]].concat()).unwrap();
        path
    };
    let labels = (0..n).map(|i| i % 2).collect();
    let paths = (0..n).map(write).collect();
    Dataset::new(vec!["a".into(), "b".into()], labels, Images::Files(Arc::new(paths))).unwrap()
}

fn loader(data: &Dataset, training: bool, cache: &Cache) -> Loader {
    loader_with(data, training, Augmentations::flips(training, training), cache)
}

fn loader_with(data: &Dataset, training: bool, augmentations: Augmentations, cache: &Cache) -> Loader {
    let options = LoaderOptions {
        batch_size: 4,
        shuffle: training,
        merge_last_single: training,
        ..LoaderOptions::default()
    };
    let preprocessing = Preprocessing::imagenet((16, 16));
    Loader::new(data.clone(), preprocessing, augmentations, options).unwrap().with_cache(cache.clone())
}

fn frozen() -> Network {
    let mut network = build("resnet20", Shape::image(16, 16, 3), 2).unwrap();
    network.initialise(0);
    network.freeze_backbone();
    network
}

/// The losses of every step and epoch, and the head, after training.
fn trained(network: Network, data: (&Dataset, &Dataset), cache: &Cache) -> (Vec<String>, Vec<f32>) {
    trained_by(Arc::new(Cpu), network, data, cache)
}

fn trained_by(
    engine: Arc<dyn Engine>,
    network: Network,
    (train, val): (&Dataset, &Dataset),
    cache: &Cache,
) -> (Vec<String>, Vec<f32>) {
    let config = FitConfig { engine, rule: Rule::ADAM, ..crate::material::config(4, 0.01) };
    let root = tempfile::tempdir().unwrap();
    let mut run = crate::material::new_run(&root);
    let (train, val) = (loader(train, true, cache), loader(val, false, cache));
    let outcome = fit(network, (&train, &val), &config, &mut run, &mut ()).unwrap();
    let steps = std::fs::read_to_string(root.path().join("run/steps.jsonl")).unwrap();
    let epochs = outcome
        .epochs
        .iter()
        .map(|e| format!("{:?} {:?} {:?}", e.train_loss(), e.val_loss(), e.val_accuracy()));
    let figures = steps.lines().map(String::from).chain(epochs).collect();
    let head =
        outcome.network.parameters.iter().filter(|p| p.trainable).flat_map(|p| p.value.to_vec()).collect();
    (figures, head)
}

/// Whatever the cache: in memory, too small for all, on disk, warm from a run before, or damaged since.
#[test]
fn a_frozen_backbone_trains_to_the_same_bits_from_the_cache() {
    let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (all, path) = (dataset(images.path(), 18), folder.path());
    let data = (&all.subset(&(0..13).collect::<Vec<_>>()), &all.subset(&[13, 14, 15, 16, 17]));
    let plain = trained(frozen(), data, &Cache::off());
    assert_eq!(plain.0.len(), 4 * 3 + 4, "thirteen images are three batches");
    for cache in [Cache::memory(1 << 24), Cache::memory(20_000), Cache::disk(path, 1 << 24).unwrap()] {
        assert_eq!(trained(frozen(), data, &cache), plain);
    }
    let mut damaged = 0;
    for folder in std::fs::read_dir(path).unwrap().flatten() {
        for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
            let mut bytes = std::fs::read(entry.path()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(entry.path(), bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 18, "images and features were kept");
    assert_eq!(trained(frozen(), data, &Cache::disk(path, 1 << 24).unwrap()), plain);
}

/// The processor, as a device that may round a row differently in another batch; counts its passes over images.
#[derive(Debug, Default)]
struct Dependent(AtomicUsize);

impl Engine for Dependent {
    fn name(&self) -> String {
        "dependent".to_owned()
    }

    fn rows_are_independent(&self) -> bool {
        false
    }

    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        self.0.fetch_add(usize::from(cut == 0), Ordering::Relaxed);
        Cpu.evaluate(network, value, cut)
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        self.0.fetch_add(usize::from(cut == 0), Ordering::Relaxed);
        Ok(Box::new(network.forward_from(value, cut, key)?))
    }
}

#[test]
fn a_device_whose_rows_depend_on_each_other_computes_every_pass_itself_from_the_images() {
    let images = tempfile::tempdir().unwrap();
    let all = dataset(images.path(), 18);
    let data = (&all.subset(&(0..13).collect::<Vec<_>>()), &all.subset(&[13, 14, 15, 16, 17]));
    let (engine, cache) = (Arc::new(Dependent::default()), Cache::memory(1 << 24));
    let by_it = trained_by(Arc::clone(&engine) as Arc<dyn Engine>, frozen(), data, &cache);
    assert_eq!(by_it, trained(frozen(), data, &Cache::off()));
    assert_eq!(
        engine.0.load(Ordering::Relaxed),
        4 * (3 + 2),
        "three steps and two batches of validation an epoch"
    );
}

/// Once the features are there, neither the images nor the backbone are needed.
#[test]
fn features_are_computed_once_and_other_weights_have_their_own() {
    let images = tempfile::tempdir().unwrap();
    let (data, cache) = (dataset(images.path(), 9), Cache::memory(1 << 24));
    let loader = loader(&data, false, &cache);
    let all = |network: &Network, source: &Source| {
        let mut inputs = source.epoch(0, 0);
        let mut values = Vec::new();
        while let Some(input) = inputs.next(network).unwrap() {
            assert_eq!(input.value, network.frozen_prefix());
            values.extend_from_slice(&input.values);
        }
        values
    };
    let network = frozen();
    let source = Source::new(&loader, &network).unwrap();
    let first = all(&network, &source);
    assert_eq!(first.len(), 9 * 64);
    let mut other = network.clone();
    other.parameters[0].value.iter_mut().for_each(|w| *w *= 2.0);
    let others = all(&other, &Source::new(&loader, &other).unwrap());
    assert_ne!(others, first, "other weights, other features");
    // A backbone that would now give something else is not asked.
    data.path(0).map(std::fs::remove_file).unwrap().unwrap();
    assert_eq!(all(&other, &source), first);
    let rest = source.epoch(0, 2).next(&network).unwrap().unwrap();
    assert_eq!(*rest.values, first[8 * 64..], "a resumed epoch goes on where it was");
}

#[test]
fn without_a_cache_or_a_frozen_beginning_inputs_are_images() {
    let images = tempfile::tempdir().unwrap();
    let data = dataset(images.path(), 3);
    let mut thawed = frozen();
    thawed.parameters[0].trainable = true;
    for (network, cache) in [(frozen(), Cache::off()), (thawed, Cache::memory(1 << 24))] {
        let loader = loader(&data, false, &cache);
        let source = Source::new(&loader, &network).unwrap();
        let input = source.epoch(0, 0).next(&network).unwrap().unwrap();
        assert_eq!((input.value, input.values.len()), (0, 3 * 16 * 16 * 3));
    }
}

/// A step whose results cannot be counted.
#[derive(Debug)]
struct Uncounted;

impl Augmentation for Uncounted {
    fn name(&self) -> &'static str {
        "uncounted"
    }

    fn variants(&self) -> Option<u32> {
        None
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        rng.below(1 << 20)
    }

    fn effect(&self, _: u32, _: (usize, usize)) -> Effect {
        Effect::Nothing
    }
}

#[test]
fn where_augmentations_cannot_be_counted_inputs_are_images() {
    let images = tempfile::tempdir().unwrap();
    let (data, cache) = (dataset(images.path(), 3), Cache::memory(1 << 24));
    let values = |list: Augmentations| {
        let source = Source::new(&loader_with(&data, true, list, &cache), &frozen()).unwrap();
        source.epoch(0, 0).next(&frozen()).unwrap().unwrap().value
    };
    assert_ne!(values(Augmentations::flips(true, true)), 0, "features");
    assert_eq!(values(Augmentations::new(vec![Arc::new(Uncounted)]).unwrap()), 0, "images");
}
