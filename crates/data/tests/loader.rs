//! The loader's promises: same batches for any number of workers, bounded memory, a clean end.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wellfit_data::augment::Effect;
use wellfit_data::{
    Augmentation, Augmentations, Batch, DataError, Dataset, Flips, Images, Loader, LoaderOptions,
    Preprocessing,
};
use wellfit_rng::{Rng, Stream};

/// `n` images of 2 × 3 in memory, each pixel telling its image and place.
fn in_memory(n: usize) -> Dataset {
    let pixels = Arc::new((0..n * 6).map(|i| (i % 251) as u8).collect());
    let labels = (0..n).map(|i| i as u32 % 2).collect();
    let images = Images::Memory { height: 2, width: 3, channels: 1, pixels };
    Dataset::new(vec!["even".into(), "odd".into()], labels, images).unwrap()
}

/// `n` image files of 2 × 3, of which those in `bad` are no images.
fn in_files(dir: &tempfile::TempDir, n: usize, bad: &[usize]) -> Dataset {
    let write = |i: usize| {
        let path = dir.path().join(format!("{i}.pgm"));
        let pixels: Vec<u8> = (0..6).map(|p| (i * 6 + p) as u8).collect();
        let content =
            if bad.contains(&i) { b"junk".to_vec() } else { [b"P5 3 2 255\n", &pixels[..]].concat() };
        fs::write(&path, content).unwrap();
        path
    };
    let paths: Vec<PathBuf> = (0..n).map(write).collect();
    let labels = vec![0; n];
    Dataset::new(vec!["a".into(), "b".into()], labels, Images::Files(Arc::new(paths))).unwrap()
}

/// Pixel values as they are.
fn preprocessing() -> Preprocessing {
    Preprocessing::new((2, 3), 1, vec![0.0], vec![1.0 / 255.0])
}

fn both_flips() -> Augmentations {
    Augmentations::flips(true, true)
}

fn options(workers: usize) -> LoaderOptions {
    LoaderOptions { batch_size: 4, shuffle: true, seed: 9, workers, ..LoaderOptions::default() }
}

fn loader(dataset: Dataset, options: LoaderOptions) -> Loader {
    Loader::new(dataset, preprocessing(), both_flips(), options).unwrap()
}

fn epoch(loader: &Loader, epoch: u32) -> Vec<Batch> {
    loader.epoch(epoch).collect::<Result<_, DataError>>().unwrap()
}

#[test]
fn any_number_of_workers_makes_the_same_batches() {
    let dir = tempfile::tempdir().unwrap();
    for dataset in [in_memory(30), in_files(&dir, 30, &[])] {
        let alone = epoch(&loader(dataset.clone(), options(0)), 3);
        assert_eq!(alone.len(), 8);
        for workers in [1, 2, 4, 16] {
            for prefetch in [0, 1, 5] {
                let options = LoaderOptions { prefetch, ..options(workers) };
                assert_eq!(epoch(&loader(dataset.clone(), options), 3), alone, "{workers} workers");
            }
        }
    }
}

#[test]
fn the_order_is_the_seeds_permutation_and_the_flips_are_the_samples_own() {
    let dataset = in_memory(10);
    let (images, batches) = (dataset.clone(), epoch(&loader(dataset, options(2)), 5));
    let order: Vec<u32> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
    assert_eq!(order, Rng::new(9, Stream::Shuffle, 5, 0).permutation(10));
    for batch in batches {
        assert_eq!(batch.shape, [batch.len(), 2, 3, 1]);
        for (row, (&index, &label)) in batch.indices.iter().zip(&batch.labels).enumerate() {
            assert_eq!(label, index % 2);
            let mut expected = [0.0; 6];
            let mut rng = Rng::new(9, Stream::Augment, 5, index);
            let flips = Flips { horizontal: rng.coin(), vertical: rng.coin() };
            preprocessing().apply_flipped(&images.image(index as usize).unwrap(), flips, &mut expected);
            assert_eq!(batch.images[row * 6..][..6], expected);
        }
    }
}

#[test]
fn epochs_and_seeds_differ_and_evaluation_is_plain() {
    let base = epoch(&loader(in_memory(30), options(1)), 0);
    assert_ne!(base, epoch(&loader(in_memory(30), options(1)), 1));
    assert_ne!(base, epoch(&loader(in_memory(30), LoaderOptions { seed: 10, ..options(1) }), 0));
    let plain = LoaderOptions { shuffle: false, ..options(1) };
    let plain = Loader::new(in_memory(30), preprocessing(), Augmentations::none(), plain).unwrap();
    let plain = epoch(&plain, 7);
    let pixels: Vec<f32> = plain.iter().flat_map(|batch| batch.images.to_vec()).collect();
    let want: Vec<f32> = (0..180).map(|i| i as f32).collect();
    assert!(pixels.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-4), "unflipped, in order");
}

#[test]
fn a_resumed_epoch_is_the_rest_of_the_whole_one() {
    let loader = loader(in_memory(30), options(3));
    let whole = epoch(&loader, 2);
    for first in 0..=9 {
        let rest: Vec<Batch> = loader.epoch_from(2, first).collect::<Result<_, _>>().unwrap();
        assert_eq!(rest, whole[first.min(8)..]);
    }
}

#[test]
fn a_single_last_image_joins_the_batch_before() {
    let sizes = |n, batch_size, merge_last_single| {
        let options = LoaderOptions { batch_size, merge_last_single, ..options(2) };
        let loader = loader(in_memory(n), options);
        let made: Vec<usize> = epoch(&loader, 0).iter().map(Batch::len).collect();
        assert_eq!((&made, made.len()), (&loader.batch_sizes(), loader.batches()));
        made
    };
    assert_eq!(sizes(9, 4, false), [4, 4, 1]);
    assert_eq!(sizes(9, 4, true), [4, 5]);
    assert_eq!(sizes(10, 4, true), [4, 4, 2]);
    assert_eq!(sizes(8, 4, true), [4, 4]);
    assert_eq!(sizes(1, 4, true), [1]);
    assert_eq!(sizes(3, 1, true), [1, 1, 1]);
}

#[test]
fn a_bad_file_is_an_error_that_names_it_and_ends_the_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = in_files(&dir, 30, &[13]);
    for workers in [0, 1, 3] {
        let options = LoaderOptions { shuffle: false, ..options(workers) };
        let results: Vec<_> = loader(dataset.clone(), options).epoch(0).collect();
        assert_eq!(results.len(), 4, "batches 0–2 are whole, image 13 is in batch 3");
        let message = results[3].as_ref().unwrap_err().to_string();
        assert!(results[..3].iter().all(Result::is_ok) && message.contains("13.pgm"), "{message}");
    }
}

/// Dropping joins the workers, so a worker that missed the end would hang this test.
#[test]
fn dropping_an_epoch_early_stops_its_workers() {
    for (workers, prefetch) in [(1, 0), (2, 4), (4, 1)] {
        for taken in 0..3 {
            let options = LoaderOptions { prefetch, batch_size: 1, ..options(workers) };
            let loader = loader(in_memory(100_000), options);
            let started = Instant::now();
            let mut epoch = loader.epoch(0);
            (0..taken).for_each(|_| assert!(epoch.next().unwrap().is_ok()));
            drop(epoch);
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "an epoch of 100,000 batches was not stopped"
            );
        }
    }
}

/// One batch of 4,000 pictures of 4 megapixels takes far longer than this test may.
#[test]
fn dropping_an_epoch_stops_a_batch_half_made() {
    let pixels = Arc::new(vec![0; 2000 * 2000]);
    let images = Images::Memory { height: 2000, width: 2000, channels: 1, pixels };
    let large = Dataset::new(vec!["a".into(), "b".into()], vec![0], images).unwrap().subset(&[0; 4000]);
    let loader = loader(large, LoaderOptions { batch_size: 4000, ..options(1) });
    let epoch = loader.epoch(0);
    std::thread::sleep(Duration::from_millis(20));
    let started = Instant::now();
    drop(epoch);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

/// How many batches can still be had if all later files vanish `pause` after the epoch's start.
fn made_ahead(pause: Duration) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let dataset = in_files(&dir, 30, &[]);
    let options = LoaderOptions { batch_size: 1, shuffle: false, prefetch: 4, ..options(2) };
    let epoch = loader(dataset, options).epoch(0);
    std::thread::sleep(pause);
    (0..30).for_each(|i| fs::remove_file(dir.path().join(format!("{i}.pgm"))).unwrap());
    epoch.take_while(Result::is_ok).count()
}

/// Four batches wait, and each of two workers has one in hand.
#[test]
fn workers_run_ahead_by_the_prefetch_and_no_further() {
    let ahead = [50, 500, 5000].into_iter().map(|ms| made_ahead(Duration::from_millis(ms)));
    let ahead: Vec<usize> =
        ahead.scan(false, |full, n| (!std::mem::replace(full, n >= 6)).then_some(n)).collect();
    assert_eq!(ahead.iter().max(), Some(&6), "{ahead:?}");
}

#[test]
fn waiting_is_measured() {
    let loader = loader(in_memory(1000), options(0));
    let mut epoch = loader.epoch(0);
    assert_eq!(epoch.waited(), Duration::ZERO);
    let started = Instant::now();
    assert_eq!(epoch.by_ref().count(), 250);
    assert!(epoch.waited() > Duration::ZERO && epoch.waited() <= started.elapsed());
}

#[test]
fn nonsense_is_refused() {
    let problem = |dataset, preprocessing, options| {
        Loader::new(dataset, preprocessing, both_flips(), options).unwrap_err().to_string()
    };
    assert!(problem(in_memory(0), preprocessing(), options(0)).contains("no images"));
    let empty = LoaderOptions { batch_size: 0, ..options(0) };
    assert!(problem(in_memory(1), preprocessing(), empty).contains("batch_size"));
    let narrow = Preprocessing { mean: vec![], ..preprocessing() };
    assert!(problem(in_memory(1), narrow, options(0)).contains("mean"));
}

/// A step that works on whole batches: each image takes the pixels of another, as mixup would.
#[derive(Debug)]
struct Neighbour;

impl Augmentation for Neighbour {
    fn name(&self) -> &'static str {
        "neighbour"
    }

    fn variants(&self) -> Option<u32> {
        None
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        rng.below(1 << 16)
    }

    fn effect(&self, _: u32, _: (usize, usize)) -> Effect {
        Effect::Nothing
    }

    fn change_batch(&self, drawn: &[u32], batch: &mut Batch) {
        let (before, count) = (batch.images.to_vec(), batch.len());
        for (image, drawn) in batch.images.chunks_exact_mut(6).zip(drawn) {
            image.copy_from_slice(&before[*drawn as usize % count * 6..][..6]);
        }
    }
}

#[test]
fn a_step_may_change_whole_batches_in_the_same_way_with_any_number_of_workers() {
    let batches = |workers| {
        let list = Augmentations::new(vec![Arc::new(Neighbour)]).unwrap();
        let options = LoaderOptions { shuffle: false, ..options(workers) };
        let loader = Loader::new(in_memory(10), preprocessing(), list, options).unwrap();
        epoch(&loader, 0)
    };
    let alone = batches(0);
    assert_eq!(batches(3), alone);
    let drawn = |index| Rng::new(9, Stream::Augment, 0, index).below(1 << 16);
    let first: Vec<f32> = alone.iter().flat_map(|b| b.images.chunks_exact(6).map(|i| i[0].round())).collect();
    let want: Vec<f32> = (0..10)
        .map(|index| {
            let (start, count) = (index / 4 * 4, if index < 8 { 4 } else { 2 });
            ((start + drawn(index) % count) * 6) as f32
        })
        .collect();
    assert_eq!(first, want);
}
