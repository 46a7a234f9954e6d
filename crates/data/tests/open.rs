//! Every way to name data, good and bad.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wellfit_data::{DataError, Dataset, Need, OpenOptions, Progress, Splits, open};

/// A folder with one small image for each of `images` and an empty file for each of `bad`.
fn folder(images: &[&str], bad: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (names, content) in [(images, &b"P5 1 1 255\n\x07"[..]), (bad, b"")] {
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
    dir
}

/// IDX bytes with the given magic number, sizes and data.
fn idx(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    [magic].iter().chain(sizes).flat_map(|n| n.to_be_bytes()).chain(data.iter().copied()).collect()
}

/// One-pixel IDX images with these labels.
fn write_idx(dir: &Path, part: &str, labels: &[u8]) {
    let n = labels.len() as u32;
    fs::write(dir.join(format!("{part}-images-idx3-ubyte")), idx(0x803, &[n, 1, 1], &vec![5; labels.len()]))
        .unwrap();
    fs::write(dir.join(format!("{part}-labels-idx1-ubyte")), idx(0x801, &[n], labels)).unwrap();
}

fn open_with(dir: &Path, options: &OpenOptions) -> Result<Splits, DataError> {
    open(dir.to_str().unwrap(), options, &|_| ())
}

fn open_dir(dir: &TempDir) -> Splits {
    open_with(dir.path(), &OpenOptions::default()).unwrap()
}

fn problem(dir: &Path) -> String {
    open_with(dir, &OpenOptions::default()).unwrap_err().to_string()
}

#[track_caller]
fn assert_contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "expected ‘{part}’ in: {message}");
    }
}

#[test]
fn a_sub_folder_a_class() {
    let dir = folder(&["cat/1.pgm", "cat/deep/2.pgm", "ant/3.pgm"], &["cat/notes.txt"]);
    let Splits { name, train, val, test, skipped, .. } = open_dir(&dir);
    assert_eq!(
        (&train.classes[..], &train.labels[..]),
        (&["ant", "cat"].map(String::from)[..], &[0, 1, 1][..])
    );
    assert!(val.is_none() && test.is_none() && skipped.is_empty());
    assert_eq!(name, dir.path().file_name().unwrap().to_str().unwrap());
    assert_eq!(train.path(2).unwrap(), dir.path().join("cat/deep/2.pgm"));
    assert_eq!(train.native_size(), None);
}

#[test]
fn parts_share_the_training_classes() {
    let files =
        ["train/a/1.pgm", "train/b/1.pgm", "train/c/1.pgm", "val/b/1.pgm", "val/c/1.pgm", "test/a/1.pgm"];
    let dir = folder(&[&files[..], &["test/c/1.pgm"]].concat(), &[]);
    let Splits { train, val, test, .. } = open_dir(&dir);
    assert_eq!(
        (train.labels, val.unwrap().labels, test.unwrap().labels),
        (vec![0, 1, 2], vec![1, 2], vec![0, 2])
    );
}

#[test]
fn a_class_may_be_called_train() {
    let dir = folder(&["train/1.pgm", "plane/1.pgm"], &[]);
    let splits = open_dir(&dir);
    assert_eq!(splits.train.classes, ["plane", "train"]);
    assert_contains(&splits.remarks[0].to_string(), &["train is taken as a class"]);
    let dir = folder(&["train/1.pgm", "plane/1.pgm", "val/x/1.pgm"], &[]);
    assert_contains(
        &problem(dir.path()),
        &["‘train’ may be the training part or a class", "plane, train, val"],
    );
}

#[test]
fn unfit_folders_say_why() {
    let nowhere = Path::new("/no/such/place");
    assert_contains(&problem(nowhere), &["/no/such/place", "sample", "fashion-mnist"]);
    assert_contains(&problem(folder(&["1.pgm"], &[]).path()), &["no sub-folders"]);
    let one = folder(&["cat/1.pgm"], &[]);
    assert_contains(&problem(one.path()), &["only one class, ‘cat’"]);
    let to_test = OpenOptions { need: Need::Test, ..OpenOptions::default() };
    assert_eq!(open_with(one.path(), &to_test).unwrap().train.classes, ["cat"]);
    assert_contains(&problem(folder(&["cat/1.pgm"], &["dog/x.txt"]).path()), &["dog", "no images"]);
    let file = folder(&["1.pgm"], &[]);
    assert_contains(&problem(&file.path().join("1.pgm")), &["1.pgm is a file"]);
    let unknown = |part: &str| folder(&["train/a/1.pgm", "train/b/1.pgm", part], &[]);
    assert_contains(&problem(unknown("val/dog/1.pgm").path()), &["val/dog", "a, b"]);
    let test = unknown("test/B/1.pgm");
    let message = open_with(test.path(), &to_test).unwrap_err().to_string();
    assert_contains(&message, &["test/B", "a, b", "differs from ‘b’ in capitals only"]);
    assert!(open_dir(&test).test.is_none());
}

#[test]
fn all_bad_files_are_listed_or_left_out() {
    let dir = folder(
        &["train/a/1.pgm", "train/a/2.pgm", "train/b/1.pgm", "test/a/1.pgm", "test/b/1.pgm"],
        &["train/a/0.png", "test/b/0.jpg"],
    );
    assert_contains(
        &problem(dir.path()),
        &["2 image files", "train/a/0.png: ", "test/b/0.jpg: ", "set skip_bad"],
    );
    let options = OpenOptions { skip_bad: true, ..OpenOptions::default() };
    let Splits { train, test, skipped, .. } = open_with(dir.path(), &options).unwrap();
    assert_eq!((train.len(), test.unwrap().len()), (3, 2));
    let skipped: Vec<_> =
        skipped.iter().map(|bad| bad.path.strip_prefix(&dir).unwrap().to_str().unwrap()).collect();
    assert_eq!(skipped, ["train/a/0.png", "test/b/0.jpg"]);
}

#[test]
fn a_class_with_only_bad_files_cannot_be_skipped() {
    let dir = folder(&["a/1.pgm"], &["b/1.pgm"]);
    let options = OpenOptions { skip_bad: true, ..OpenOptions::default() };
    assert_contains(&open_with(dir.path(), &options).unwrap_err().to_string(), &["b", "no images"]);
}

#[test]
fn checking_is_announced() {
    let dir = folder(&["a/1.pgm", "a/2.pgm", "b/1.pgm"], &[]);
    let seen = RefCell::new(Vec::new());
    let see = |progress| seen.borrow_mut().push(progress);
    open(dir.path().to_str().unwrap(), &OpenOptions::default(), &see).unwrap();
    assert_eq!(
        *seen.borrow(),
        [Progress::Checking { done: 0, files: 3 }, Progress::Checking { done: 3, files: 3 }]
    );
}

#[test]
fn idx_folders_number_their_classes() {
    let dir = tempfile::tempdir().unwrap();
    write_idx(dir.path(), "train", &[0, 2, 1]);
    let Splits { train, test, .. } = open_dir(&dir);
    assert_eq!(
        (&train.classes[..], &train.labels[..]),
        (&["0", "1", "2"].map(String::from)[..], &[0, 2, 1][..])
    );
    assert!(test.is_none());
    write_idx(dir.path(), "t10k", &[1]);
    assert_eq!(open_dir(&dir).test.as_ref().map(Dataset::len), Some(1));
    write_idx(dir.path(), "t10k", &[1, 3]);
    assert_contains(&problem(dir.path()), &["t10k-labels-idx1-ubyte", "label 3 of image 1", "3 classes"]);
}

#[test]
fn bad_idx_folders_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    write_idx(dir.path(), "train", &[0, 1]);
    fs::write(dir.path().join("train-labels-idx1-ubyte"), idx(0x801, &[1], &[0])).unwrap();
    assert_contains(&problem(dir.path()), &["train-labels-idx1-ubyte", "1 labels for 2 images"]);
    fs::write(dir.path().join("train-labels-idx1-ubyte"), idx(0x801, &[2], &[0, 0])).unwrap();
    assert_contains(&problem(dir.path()), &["only one class, ‘0’"]);
    fs::remove_file(dir.path().join("train-labels-idx1-ubyte")).unwrap();
    assert_contains(&problem(dir.path()), &["train-labels-idx1-ubyte", "missing"]);
}

#[test]
fn fashion_mnist_is_found_in_the_given_folder_with_its_names() {
    for place in ["", "fashion-mnist", "FashionMNIST/raw"] {
        let dir = tempfile::tempdir().unwrap();
        let raw = dir.path().join(place);
        fs::create_dir_all(&raw).unwrap();
        write_idx(&raw, "train", &[9, 0]);
        write_idx(&raw, "t10k", &[8]);
        let options =
            OpenOptions { data_dir: Some(dir.path().into()), download: false, ..OpenOptions::default() };
        let Splits { name, train, test, .. } = open("fashion-mnist", &options, &|_| ()).unwrap();
        assert_eq!(
            (name.as_str(), train.labels, test.unwrap().labels),
            ("fashion-mnist", vec![9, 0], vec![8])
        );
        assert_eq!((train.classes.len(), train.classes[9].as_str()), (10, "Ankle boot"));
    }
}

#[test]
#[ignore = "needs the Debian package dataset-fashion-mnist"]
fn the_whole_of_fashion_mnist() {
    let options = OpenOptions { download: false, ..OpenOptions::default() };
    let Splits { train, test, .. } = open("fashion-mnist", &options, &|_| ()).unwrap();
    assert_eq!((train.class_counts(), test.unwrap().class_counts()), (vec![6000; 10], vec![1000; 10]));
}
