//! Data that cannot be used: exit code 3, what and where, and nothing touched.

use crate::bench::Bench;
use crate::material::{IMAGES, LABELS, MLP, gzip, idx, picture, png_header};

#[test]
fn a_missing_folder() {
    Bench::new().refuses_to_train("nowhere", 3, &["no folder ‘nowhere’", "sample", "fashion-mnist"]);
}

#[test]
fn a_file_instead_of_a_folder() {
    let bench = Bench::new();
    bench.write("cat.png", picture(0, 0));
    bench.refuses_to_train("cat.png", 3, &["cat.png is a file", "sub-folder"]);
}

#[test]
fn a_folder_without_classes() {
    let bench = Bench::new();
    bench.write("flat/0.png", picture(0, 0));
    bench.write("flat/1.png", picture(1, 0));
    bench.refuses_to_train("flat", 3, &["flat holds 2 images but no sub-folders", "named after it"]);
}

#[test]
fn one_class_only() {
    let bench = Bench::new();
    bench.pictures("pets", &["cat"], 0..4);
    bench.refuses_to_train("pets", 3, &["pets holds only one class, ‘cat’", "at least two"]);
}

#[test]
fn a_class_without_images() {
    let bench = Bench::new();
    bench.pictures("pets", &["cat", "dog"], 0..4);
    bench.write("pets/eel/notes.txt", "none yet");
    bench.refuses_to_train("pets", 3, &["pets/eel holds no images", "fill or remove"]);
}

#[test]
fn a_class_in_val_that_train_lacks() {
    let bench = Bench::new();
    bench.pictures("pets/train", &["cat", "dog"], 0..4);
    bench.pictures("pets/val", &["cat", "owl"], 4..6);
    bench.refuses_to_train("pets", 3, &["pets/val/owl is no class of the training part", "cat, dog"]);
}

/// Four bad files among the animals: (path, what is wrong with it).
const BAD: [(&str, &str); 4] = [
    ("animals/cat/empty.png", "the file is empty"),
    ("animals/cat/half.png", "cut short"),
    ("animals/dog/page.jpg", "HTML page"),
    ("animals/dog/vast.png", "10000×10000 pixels; at most 50 megapixels"),
];

fn animals_with_bad_files() -> Bench {
    let bench = Bench::new();
    bench.animals();
    let whole = picture(0, 99);
    let contents = [&b""[..], &whole[..whole.len() / 2], b"<!DOCTYPE html>", &png_header(10_000, 10_000)];
    for ((path, _), bytes) in BAD.iter().zip(contents) {
        bench.write(path, bytes);
    }
    bench
}

#[test]
fn every_bad_image_is_listed_at_once() {
    let bench = animals_with_bad_files();
    let lines = BAD.map(|(path, reason)| [path, reason]).concat();
    bench.refuses_to_train("animals", 3, &[&["4 image files", "--skip-bad"], &lines[..]].concat());
}

#[test]
fn bad_images_are_left_out_on_request_and_named() {
    let bench = animals_with_bad_files();
    let outcome = bench.run(&format!("train animals {MLP} --epochs 1 --skip-bad --out run")).succeeds();
    let outcome = outcome.warns("4 unusable files are left out");
    for (path, reason) in BAD {
        outcome.complains(path);
        outcome.complains(reason);
    }
    let data = &bench.toml("run/run.toml")["data"];
    assert_eq!((data["train"].as_integer(), data["val"].as_integer()), (Some(12), Some(4)));
}

#[test]
fn leaving_bad_images_out_must_not_empty_a_class() {
    let bench = Bench::new();
    bench.pictures("pets", &["cat"], 0..4);
    bench.write("pets/dog/0.png", "no picture");
    bench.refuses_to_train("pets --skip-bad", 3, &["pets/dog"]);
}

#[test]
fn an_image_folder_with_a_wrong_picture_size_in_its_header() {
    let bench = Bench::new();
    bench.animals();
    bench.write("animals/cat/flat.png", png_header(0, 16));
    bench.refuses_to_train("animals", 3, &["animals/cat/flat.png"]);
}

/// IDX files of which one is replaced by `bytes` must be refused, naming that file.
#[track_caller]
fn refuses_idx(file: &str, bytes: &[u8], parts: &[&str]) {
    let bench = Bench::new();
    bench.digits("digits", 20, 10);
    let _ = std::fs::remove_file(bench.path(&format!("digits/{file}.gz")));
    bench.write(&format!("digits/{file}"), bytes);
    bench.refuses_to_train("digits", 3, &[&[file], parts].concat());
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

#[test]
fn idx_with_a_wrong_magic_number() {
    let bytes = idx(LABELS, &[20, 8, 8], &[0; 20 * 64]);
    refuses_idx(TRAIN_IMAGES, &bytes, &["0x00000801", "0x00000803"]);
}

#[test]
fn idx_with_more_labels_than_images() {
    let bytes = idx(LABELS, &[21], &[1; 21]);
    refuses_idx(TRAIN_LABELS, &bytes, &["21 labels for 20 images"]);
}

#[test]
fn idx_with_a_label_that_is_no_class() {
    let bytes = idx(LABELS, &[10], &[0, 1, 2, 77, 4, 5, 6, 7, 8, 9]);
    refuses_idx(TEST_LABELS, &bytes, &["label 77 of image 3", "10 classes 0–9"]);
}

#[test]
fn idx_that_ends_early() {
    let bytes = idx(IMAGES, &[20, 8, 8], &[0; 20 * 64 - 1]);
    refuses_idx(TRAIN_IMAGES, &bytes, &["truncated", "1279 bytes", "1280"]);
}

#[test]
fn a_gzip_that_holds_more_than_its_header_says() {
    let bytes = gzip(&idx(IMAGES, &[20, 8, 8], &[0; 20 * 64 + 1]));
    refuses_idx(TRAIN_IMAGES, &bytes, &["holds more than the 1280 bytes"]);
}

#[test]
fn a_gzip_that_ends_early() {
    let bytes = gzip(&idx(IMAGES, &[20, 8, 8], &[0; 20 * 64]));
    refuses_idx(TRAIN_IMAGES, &bytes[..bytes.len() - 9], &["truncated"]);
}

#[test]
fn idx_images_of_no_size() {
    let bytes = idx(IMAGES, &[20, 0, 8], &[]);
    refuses_idx(TRAIN_IMAGES, &bytes, &["[20, 0, 8]", "no size may be 0"]);
}

#[test]
fn idx_images_larger_than_any_memory() {
    let bytes = idx(IMAGES, &[u32::MAX, u32::MAX, u32::MAX], &[]);
    refuses_idx(TRAIN_IMAGES, &bytes, &["limit of 4 GiB"]);
}

#[test]
fn idx_without_its_labels() {
    let bench = Bench::new();
    bench.digits("digits", 20, 10);
    std::fs::remove_file(bench.path("digits/train-labels-idx1-ubyte")).unwrap();
    bench.refuses_to_train("digits", 3, &["digits/train-labels-idx1-ubyte: missing"]);
}

/// Where Debian's package puts Fashion-MNIST. With it, nothing needs the network.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

#[test]
fn fashion_mnist_that_is_nowhere_says_where_it_was_looked_for() {
    let bench = Bench::new();
    let offline = |line: &str| {
        let output = bench.command(line).env("WELLFIT_FASHION_MNIST_URL", "http://127.0.0.1:9/").output();
        crate::bench::Outcome::new(line, &output.unwrap())
    };
    if std::path::Path::new(DEBIAN).is_dir() {
        offline("data stats fashion-mnist").succeeds().says("Trouser         6000     1000");
        return;
    }
    for line in ["train fashion-mnist", "lab batchnorm"] {
        let outcome = offline(line).exits(3);
        let cache = bench.cached("wellfit/fashion-mnist");
        for part in [cache.to_str().unwrap(), DEBIAN, "127.0.0.1:9", "dataset-fashion-mnist", "sample"] {
            outcome.complains(part);
        }
        assert!(!bench.has("runs"));
    }
}

#[test]
fn the_batchnorm_lab_needs_a_test_set_it_can_use() {
    let bench = Bench::new();
    bench.digits("digits", 20, 10);
    bench.write("digits/t10k-labels-idx1-ubyte", idx(LABELS, &[9], &[0; 9]));
    bench.refuses(
        "lab batchnorm --data digits --out lab",
        3,
        &["t10k-labels-idx1-ubyte: 9 labels for 10 images"],
    );
}

#[test]
fn the_transfer_lab_needs_a_test_part() {
    let bench = Bench::new();
    bench.animals();
    bench.refuses("lab transfer animals --out lab", 3, &["test/", "wellfit train"]);
}
