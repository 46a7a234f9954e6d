//! The cache's promises: the bytes that were put in or none, a budget, and nothing that damage can do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use wellfit_data::cache::{Cache, Key};
use wellfit_data::{Augmentations, Batch, DataError, Dataset, Images, Loader, LoaderOptions, Preprocessing};

fn key(i: u32) -> Key {
    Key::of(&[&i.to_le_bytes()])
}

fn content(i: u32) -> Arc<[u8]> {
    (0..1000).map(|k| (i * 31 + k * 7) as u8).collect()
}

/// The files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() { all.extend(files(&entry.path())) } else { all.push(entry.path()) }
    }
    all.sort();
    all
}

fn held(cache: &Cache, keys: u32) -> Vec<u32> {
    (0..keys).filter(|&i| cache.get(&key(i)).is_some_and(|bytes| bytes == content(i))).collect()
}

#[test]
fn parts_of_a_key_do_not_run_together() {
    assert_ne!(Key::of(&[b"ab", b"c"]), Key::of(&[b"a", b"bc"]));
    assert_ne!(Key::of(&[b"ab"]), Key::of(&[b"ab", b""]));
}

#[test]
fn memory_keeps_the_first_entries_up_to_the_budget() {
    let cache = Cache::memory(5000);
    (0..10).for_each(|i| cache.put(key(i), &content(i)));
    assert_eq!(held(&cache, 10), [0, 1, 2, 3]);
    assert!(cache.has(&key(3)) && !cache.has(&key(4)));
    assert!(held(&Cache::off(), 10).is_empty() && !Cache::off().is_on());
}

#[test]
fn a_later_run_finds_what_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::disk(dir.path(), 1 << 20).unwrap();
    (0..10).for_each(|i| cache.put(key(i), &content(i)));
    assert_eq!(held(&Cache::disk(dir.path(), 1 << 20).unwrap(), 12), (0..10).collect::<Vec<_>>());
}

#[test]
fn what_no_run_used_for_longest_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::disk(dir.path(), 5200).unwrap();
    (0..10).for_each(|i| cache.put(key(i), &content(i)));
    assert_eq!(held(&cache, 10), [0, 1, 2, 3, 4], "five entries of 1036 bytes fit; its own are not replaced");
    let hours_ago = |hours: u64| SystemTime::now() - Duration::from_secs(3600 * hours);
    for (file, hours) in files(dir.path()).iter().zip([5, 4, 3, 2, 1]) {
        fs::File::options().append(true).open(file).unwrap().set_modified(hours_ago(hours)).unwrap();
    }
    let oldest = fs::read(&files(dir.path())[0]).unwrap();
    let oldest = (0..5).find(|&i| oldest.starts_with(&content(i))).unwrap();
    let later = Cache::disk(dir.path(), 5200).unwrap();
    assert!(later.get(&key(oldest)).is_some(), "using it makes it the youngest");
    (20..22).for_each(|i| later.put(key(i), &content(i)));
    let left = held(&later, 30);
    assert!(left.contains(&oldest) && left.ends_with(&[20, 21]), "{left:?}");
    assert_eq!(left.len(), 5);
    drop(Cache::disk(dir.path(), 2200).unwrap());
    assert_eq!(files(dir.path()).len(), 2, "a smaller budget holds from the start");
}

/// Every bit of a file flipped, and every length: never other bytes than those put in, and made anew it is back.
#[test]
fn damage_is_a_miss() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::disk(dir.path(), 1 << 20).unwrap();
    let small: Arc<[u8]> = content(0)[..40].into();
    cache.put(key(0), &small);
    let file = files(dir.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    let flipped = (0..whole.len() * 8).map(|bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    for bytes in flipped.chain((0..whole.len()).map(|length| whole[..length].to_vec())) {
        fs::write(&file, bytes).unwrap();
        assert_eq!(cache.get(&key(0)), None);
        assert!(!file.exists(), "a damaged entry is removed");
    }
    cache.put(key(0), &small);
    assert_eq!(cache.get(&key(0)), Some(small));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::rename(&file, file.with_file_name("0".repeat(62))).unwrap();
    assert_eq!(cache.get(&key(0)), None, "an entry under another name is not its");
}

#[test]
fn a_folder_that_cannot_be_written_only_costs_time() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::disk(&dir.path().join("cache"), 1 << 20).unwrap();
    fs::remove_dir(dir.path().join("cache")).unwrap();
    fs::write(dir.path().join("cache"), "a file in its place").unwrap();
    assert_eq!(cache.take_failure(), None);
    (0..2).for_each(|i| cache.put(key(i), &content(i)));
    assert_eq!(cache.get(&key(0)), None);
    assert!(cache.take_failure().unwrap().contains("cache"));
    assert_eq!(cache.take_failure(), None, "said once");
    let error = Cache::disk(&dir.path().join("cache"), 1).unwrap_err().to_string();
    assert!(error.contains("cache"), "{error}");
}

/// `n` grey image files of 4 × 6.
fn dataset(dir: &Path, n: usize) -> Dataset {
    let paths: Vec<PathBuf> = (0..n).map(|i| dir.join(format!("{i}.pgm"))).collect();
    paths.iter().enumerate().for_each(|(i, path)| write(path, i as u8));
    Dataset::new(vec!["a".into(), "b".into()], vec![0; n], Images::Files(Arc::new(paths))).unwrap()
}

fn write(path: &Path, seed: u8) {
    let pixels: Vec<u8> = (0..24).map(|p| seed.wrapping_mul(41).wrapping_add(p * 9)).collect();
    fs::write(path, [b"P5 6 4 255\n", &pixels[..]].concat()).unwrap();
}

fn loader(dataset: &Dataset, size: (usize, usize), cache: Cache) -> Loader {
    let options = LoaderOptions { batch_size: 4, shuffle: true, ..LoaderOptions::default() };
    let (preprocessing, flips) = (Preprocessing::imagenet(size), Augmentations::flips(true, true));
    Loader::new(dataset.clone(), preprocessing, flips, options).unwrap().with_cache(cache)
}

fn epochs(loader: &Loader) -> Vec<Batch> {
    (0..3).flat_map(|epoch| loader.epoch(epoch).collect::<Result<Vec<_>, DataError>>().unwrap()).collect()
}

/// In every kind of cache, also one that is too small: the same bits; and once it is warm, no file is decoded.
#[test]
fn batches_are_the_same_with_any_cache() {
    let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = dataset(images.path(), 10);
    let plain = epochs(&loader(&dataset, (3, 5), Cache::off()));
    let disk = Cache::disk(folder.path(), 1 << 20).unwrap();
    for cache in
        [Cache::memory(1 << 20), Cache::memory(500), disk, Cache::disk(folder.path(), 1 << 20).unwrap()]
    {
        assert_eq!(epochs(&loader(&dataset, (3, 5), cache)), plain);
    }
    let smaller = epochs(&loader(&dataset, (2, 2), Cache::off()));
    let shared = Cache::memory(1 << 20);
    assert_eq!(epochs(&loader(&dataset, (3, 5), shared.clone())), plain);
    assert_eq!(epochs(&loader(&dataset, (2, 2), shared)), smaller, "another size is another entry");
}

/// With random crops images larger than the input are kept, also in every kind of cache, in the same folder as others.
#[test]
fn crops_are_the_same_with_any_cache_and_any_number_of_workers() {
    let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = dataset(images.path(), 10);
    let strong = |cache: Cache, workers| {
        let steps = ["random_resized_crop", "horizontal_flip", "trivial_augment", "random_erasing", "mixup"];
        let options = LoaderOptions { batch_size: 4, shuffle: true, workers, ..LoaderOptions::default() };
        let list = Augmentations::named(steps).unwrap();
        let loader = Loader::new(dataset.clone(), Preprocessing::imagenet((2, 2)), list, options).unwrap();
        epochs(&loader.with_cache(cache))
    };
    let plain = strong(Cache::off(), 0);
    assert_ne!(plain[0].images, epochs(&loader(&dataset, (2, 2), Cache::off()))[0].images);
    let disk = || Cache::disk(folder.path(), 1 << 20).unwrap();
    epochs(&loader(&dataset, (2, 2), disk()));
    for (cache, workers) in
        [(Cache::memory(1 << 20), 2), (Cache::memory(500), 3), (disk(), 1), (disk(), 2), (Cache::off(), 5)]
    {
        assert_eq!(strong(cache, workers), plain);
    }
}

/// An image is known by its content: not by its place, its time or its length.
#[test]
fn a_warm_cache_decodes_only_what_has_changed() {
    let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = dataset(images.path(), 6);
    let fresh = || loader(&dataset, (3, 5), Cache::disk(folder.path(), 1 << 20).unwrap());
    let first = fresh();
    let before = epochs(&first);
    let path = dataset.path(2).unwrap();
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    write(path, 99);
    fs::File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
    assert_eq!(epochs(&first), before, "a run goes on with what it began with");
    assert_eq!(files(folder.path()).len(), 6);
    assert_eq!(
        epochs(&fresh()),
        epochs(&loader(&dataset, (3, 5), Cache::off())),
        "a new run has the new image"
    );
    fs::rename(path, images.path().join("moved.pgm")).unwrap();
    fs::rename(images.path().join("moved.pgm"), path).unwrap();
    drop(epochs(&fresh()));
    assert_eq!(files(folder.path()).len(), 7, "the one that changed is the only new one");
}

/// Where a cache has no room for an image, a change is seen: the two must not be mixed.
#[test]
fn an_image_that_changes_under_way_is_an_error_rather_than_another_image() {
    let images = tempfile::tempdir().unwrap();
    let dataset = dataset(images.path(), 6);
    let loader = loader(&dataset, (3, 5), Cache::memory(0));
    let before = epochs(&loader);
    assert_eq!(epochs(&loader), before);
    write(dataset.path(2).unwrap(), 99);
    let error = loader.epoch(0).find_map(Result::err).unwrap().to_string();
    assert!(error.contains("2.pgm") && error.contains("changed"), "{error}");
}

/// A folder may hold what is none of the cache's, and lose none of it.
#[test]
fn only_the_caches_own_files_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let others = [dir.path().join("photo.jpg"), dir.path().join("ab/photo.jpg"), dir.path().join("abcd/x")];
    for path in &others {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, [7; 5000]).unwrap();
    }
    let cache = Cache::disk(dir.path(), 2200).unwrap();
    (0..3).for_each(|i| cache.put(key(i), &content(i)));
    assert_eq!(held(&cache, 3), [0, 1], "they do not count either");
    drop(Cache::disk(dir.path(), 0).unwrap());
    assert_eq!(files(dir.path()), {
        let mut others = others.to_vec();
        others.sort();
        others
    });
}

/// Two caches on one folder, as of two runs: whoever removes or replaces an entry, the other gets it whole or not.
#[test]
fn a_folder_may_be_shared() {
    let dir = tempfile::tempdir().unwrap();
    let work = |budget: u64| {
        let cache = Cache::disk(dir.path(), budget).unwrap();
        for i in (0..40).cycle().take(2000) {
            match cache.get(&key(i)) {
                Some(bytes) => assert_eq!(bytes, content(i)),
                None => cache.put(key(i), &content(i)),
            }
        }
        assert_eq!(cache.take_failure(), None);
    };
    std::thread::scope(|scope| {
        for budget in [1 << 20, 30_000, 10_000] {
            scope.spawn(move || (0..5).for_each(|_| work(budget)));
        }
    });
}

/// What a kill leaves half written is no entry, does not count, and is gone an hour later.
#[test]
fn half_written_files_are_removed_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::disk(dir.path(), 1 << 20).unwrap();
    cache.put(key(0), &content(0));
    let partial = files(dir.path()).remove(0).with_file_name(".partial-x1");
    fs::write(&partial, &content(1)[..500]).unwrap();
    let again = Cache::disk(dir.path(), 2072).unwrap();
    again.put(key(1), &content(1));
    assert_eq!(held(&again, 2), [0, 1]);
    assert!(partial.exists(), "another run may be writing it");
    let old = SystemTime::now() - Duration::from_secs(2 * 3600);
    fs::File::options().append(true).open(&partial).unwrap().set_modified(old).unwrap();
    drop(Cache::disk(dir.path(), 2072).unwrap());
    assert!(!partial.exists());
    assert_eq!(held(&again, 2), [0, 1]);
}
