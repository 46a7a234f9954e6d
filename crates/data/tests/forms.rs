//! Every form of data gives the same images, labels and parts as folders do: files that the real packages wrote
//! (`parity/data_forms.py`), and tables made here.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use tempfile::TempDir;
use wellfit_data::{Columns, DataError, Dataset, Need, OpenOptions, Splits, UNLABELLED, is_collection, open};

#[path = "../../../parity/table.rs"]
mod table;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms").join(name)
}

fn open_with(path: &Path, columns: Columns, skip_bad: bool) -> Result<Splits, DataError> {
    open(path.to_str().unwrap(), &OpenOptions { columns, skip_bad, ..OpenOptions::default() }, &|_| ())
}

fn opened(path: &Path) -> Splits {
    open_with(path, Columns::default(), false).unwrap()
}

fn problem(path: &Path) -> String {
    open_with(path, Columns::default(), false).unwrap_err().to_string()
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "expected ‘{part}’ in: {text}");
    }
}

/// What the packages were given, in the same order.
fn check(splits: &Splits, classes: &[&str]) {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(fixture("expected.json")).unwrap()).unwrap();
    assert_eq!(splits.train.classes, classes);
    for (part, data) in [("train", &splits.train), ("test", splits.test.as_ref().unwrap())] {
        let rows: Vec<&Value> =
            expected["images"].as_array().unwrap().iter().filter(|row| row["part"] == part).collect();
        assert_eq!(data.len(), rows.len(), "{part}");
        for (i, row) in rows.into_iter().enumerate() {
            let label = row["label"].as_u64().unwrap() as usize;
            let name = &data.classes[data.labels[i] as usize];
            let known = &expected["classes"][label];
            assert!(*name == label.to_string() || known == name, "{part} {i}: {name}");
            let image = data.image(i).unwrap();
            assert_eq!((image.height, image.width, image.channels), (3, 4, 3));
            let pixels: Vec<u8> = serde_json::from_value(row["pixels"].clone()).unwrap();
            assert_eq!(image.pixels, pixels, "{part} {i}");
        }
    }
}

#[test]
fn files_of_the_real_packages_hold_what_they_were_given() {
    check(&opened(&fixture("parquet")), &["dog", "cat", "bird"]);
    check(&opened(&fixture("parquet/data")), &["dog", "cat", "bird"]);
    check(&opened(&fixture("webdataset")), &["0", "1", "2"]);
    check(&opened(&fixture("stored.npz")), &["0", "1", "2"]);
    check(&opened(&fixture("packed.npz")), &["0", "1", "2"]);
    check(&opened(&fixture("names.npz")), &["dog", "cat", "bird"]);
    table::row(
        "Forms of data",
        &["pyarrow", "webdataset", "numpy"],
        "6 data sets of 12 images",
        "equal",
        0.0,
    );
}

#[test]
fn shards_are_named_by_patterns_or_alone() {
    let train = opened(&fixture("webdataset/train-{000000..000001}.tar"));
    assert_eq!((train.train.len(), train.test.is_none()), (9, true));
    assert_eq!(opened(&fixture("webdataset/train-000000.tar")).train.len(), 5);
    let gone = problem(&fixture("webdataset/train-{000000..000002}.tar"));
    says(&gone, &["train-000002.tar", "No such file"]);
    let first = train.train.path(0).unwrap();
    assert!(first.ends_with("train-000000.tar/train-000000/000000.png"), "{}", first.display());
    let prints = train.train.prints().unwrap();
    assert_eq!(prints.len(), 9);
    assert_ne!(prints[0], prints[1]);
}

#[test]
fn what_is_not_read_is_refused_with_a_word() {
    for (name, what) in [
        ("lz4.parquet", &["compressed with LZ4", "snappy"][..]),
        ("objects.npz", &["x_train", "Python objects"]),
        ("one_hot.npz", &["argmax"]),
        ("multi.npz", &["multi-label"]),
        ("floats.npz", &["uint8"]),
        ("first.npz", &["transpose(0, 2, 3, 1)"]),
    ] {
        says(&problem(&fixture(name)), what);
    }
}

/// Damage must end in an error, never in a panic or in less data without a word.
#[test]
fn damaged_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "stored.npz",
        "packed.npz",
        "parquet/data/train-00000-of-00001.parquet",
        "webdataset/train-000000.tar",
    ] {
        let bytes = fs::read(fixture(name)).unwrap();
        let path = dir.path().join(Path::new(name).file_name().unwrap());
        for keep in [0, 1, 100, bytes.len() / 2] {
            fs::write(&path, &bytes[..keep]).unwrap();
            assert!(open_with(&path, Columns::default(), false).is_err(), "{name} cut to {keep}");
        }
    }
}

/// Nine images of three classes in `images/`, and a table beside it.
fn table(name: &str, text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("images")).unwrap();
    for number in 0..9_u8 {
        let bytes = [b"P5 1 2 255\n".as_slice(), &[number, 7]].concat();
        fs::write(dir.path().join(format!("images/{number}.pgm")), bytes).unwrap();
    }
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    (dir, path)
}

/// A row for each image, with its class.
fn rows(row: impl Fn(usize, &str) -> String) -> String {
    (0..9).map(|number| row(number, ["bird", "cat", "dog"][number % 3]) + "\n").collect()
}

fn labels(data: &Dataset) -> Vec<(String, String)> {
    let name = |i| data.path(i).unwrap().file_name().unwrap().to_string_lossy().into_owned();
    (0..data.len()).map(|i| (name(i), data.classes[data.labels[i] as usize].clone())).collect()
}

fn expected() -> Vec<(String, String)> {
    (0..9).map(|number| (format!("{number}.pgm"), ["bird", "cat", "dog"][number % 3].to_owned())).collect()
}

#[test]
fn tables_in_the_spellings_that_people_use() {
    for (name, text) in [
        ("a.csv", format!("file,label\n{}", rows(|n, class| format!("images/{n}.pgm,{class}")))),
        ("a.csv", format!("Image ID;Species;Width\n{}", rows(|n, class| format!("{n};{class};4")))),
        ("a.csv", rows(|n, class| format!("{class},{n}.pgm"))),
        (
            "a.tsv",
            format!(
                "label\tfile_path\tlabel_id\n{}",
                rows(|n, c| format!("{c}\timages\\{n}.pgm\t{}", n % 3))
            ),
        ),
        (
            "a.jsonl",
            rows(|n, class| format!("{{\"image_path\": \"images/{n}.pgm\", \"category\": \"{class}\"}}")),
        ),
        // Numbers of rows are no files.
        (
            "a.csv",
            format!("id,image,target\n{}", rows(|n, class| format!("{},images/{n}.pgm,{class}", n + 100))),
        ),
    ] {
        let (_dir, path) = table(name, &text);
        assert_eq!(labels(&opened(&path).train), expected(), "{text}");
    }
}

#[test]
fn a_column_divides_and_options_say_what_names_do_not() {
    let part = |n: usize| ["train", "training", "train", "Train", "train", "val", "valid", "test", "test"][n];
    let text = format!("bild,art,teil\n{}", rows(|n, class| format!("{n}.pgm,{class},{}", part(n))));
    let (dir, path) = table("a.csv", &text);
    says(&problem(&path), &["--file-column", "bild, art, teil"]);
    let columns = Columns {
        file: Some("bild".into()),
        label: Some("art".into()),
        split: Some("teil".into()),
        images: Some(dir.path().join("images")),
    };
    let splits = open_with(&path, columns.clone(), false).unwrap();
    let count = |data: &Option<Dataset>| data.as_ref().map(Dataset::len);
    assert_eq!((splits.train.len(), count(&splits.val), count(&splits.test)), (5, Some(2), Some(2)));
    let wrong = Columns { label: Some("nothing".into()), ..columns };
    says(
        &open_with(&path, wrong, false).unwrap_err().to_string(),
        &["no column ‘nothing’", "bild, art, teil"],
    );
}

#[test]
fn numbers_are_classes_in_their_order() {
    let text = format!("file,label\n{}", rows(|n, _| format!("{n}.pgm,{}.0", 8 + n % 3)));
    let (_dir, path) = table("a.csv", &text);
    assert_eq!(opened(&path).train.classes, ["8", "9", "10"]);
}

#[test]
fn what_is_unclear_or_not_one_label_is_asked() {
    let named = |header: &str, row: fn(usize, &str) -> String| format!("{header}\n{}", rows(row));
    for (text, what) in [
        (
            named("file,label", |n, class| format!("{n}.pgm,{class}{}", if n == 4 { "|dog" } else { "" })),
            &["line 6", "multi-label"][..],
        ),
        (named("file,a,b,c", |n, _| format!("{n}.pgm,{},1,0", n % 2)), &["a, b", "multi-label"]),
        (
            named("file,a,b", |n, _| format!("{n}.pgm,{},{}", n % 2, 1 - n % 2)),
            &["a class each", "--label-column"],
        ),
        (
            named("file,label", |n, class| format!("{}.pgm,{class}", n % 8)),
            &["0.pgm", "line 2", "line 10", "multi-label"],
        ),
        (named("file,label", |n, _| format!("{n}.pgm,0.{n}")), &["measurements"]),
        (
            named("file,label,class", |n, class| format!("{n}.pgm,{class},{}", n % 2)),
            &["‘label’ and ‘class’", "--label-column"],
        ),
        (
            named("file,label", |n, class| format!("{}{n}.pgm,{class}", if n > 6 { "x" } else { "" })),
            &["2 of the 9 files", "line 9", "--skip-bad"],
        ),
        (named("file,label", |n, class| format!("http://a.org/{n}.pgm,{class}")), &["download"]),
        (
            named("file,label,split", |n, class| format!("{n}.pgm,{class},{n}")),
            &["line 2", "train, val or test"],
        ),
        (named("file,label,split", |n, class| format!("{n}.pgm,{class},test")), &["for test only"]),
        (named("file,label", |n, _| format!("{n}.pgm,one")), &["only one class"]),
        (
            named("file,label", |n, class| format!("{n}.pgm,{}", if n == 2 { "" } else { class })),
            &["1 of 9 images have no label", "line 4"],
        ),
    ] {
        let (_dir, path) = table("a.csv", &text);
        says(&problem(&path), what);
    }
}

#[test]
fn missing_files_are_left_out_if_asked_for() {
    let text = format!("file,label\nnone.pgm,dog\n{}", rows(|n, class| format!("{n}.pgm,{class}")));
    let (_dir, path) = table("a.csv", &text);
    let splits = open_with(&path, Columns::default(), true).unwrap();
    assert_eq!((labels(&splits.train), splits.skipped.len()), (expected(), 1));
    says(&splits.skipped[0].reason, &["line 2"]);
}

#[test]
fn image_folders_with_metadata() {
    let (dir, path) = table("x.csv", "");
    fs::remove_file(path).unwrap();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write(
        "images/metadata.jsonl",
        rows(|n, class| format!("{{\"file_name\":\"{n}.pgm\",\"label\":\"{class}\"}}")),
    );
    assert_eq!(labels(&opened(dir.path()).train), expected());
    fs::remove_file(dir.path().join("images/metadata.jsonl")).unwrap();
    fs::rename(dir.path().join("images"), dir.path().join("train")).unwrap();
    fs::create_dir(dir.path().join("test")).unwrap();
    fs::rename(dir.path().join("train/8.pgm"), dir.path().join("test/8.pgm")).unwrap();
    let place = |n| if n == 8 { "test" } else { "train" };
    write(
        "metadata.csv",
        format!("file_name,label\n{}", rows(|n, class| format!("{}/{n}.pgm,{class}", place(n)))),
    );
    let splits = opened(dir.path());
    assert_eq!((splits.train.len(), splits.test.unwrap().len()), (8, 1));
}

#[test]
fn cifar_is_known_by_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("cifar-10-batches-bin");
    fs::create_dir(&own).unwrap();
    let record = |label: u8| -> Vec<u8> { [&[label][..], &[1; 1024], &[2; 1024], &[3; 1024]].concat() };
    let all: Vec<u8> = (0..10).flat_map(record).collect();
    for number in 1..=5 {
        fs::write(own.join(format!("data_batch_{number}.bin")), &all).unwrap();
    }
    fs::write(own.join("test_batch.bin"), record(3)).unwrap();
    fs::write(
        own.join("batches.meta.txt"),
        "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
    )
    .unwrap();
    let splits = opened(dir.path());
    let test = splits.test.unwrap();
    assert_eq!((splits.train.class_counts(), test.labels[0]), (vec![5; 10], 3));
    assert_eq!(splits.train.classes[9], "truck");
    assert_eq!(test.image(0).unwrap().pixels[..6], [1, 2, 3, 1, 2, 3]);
    fs::write(own.join("test_batch.bin"), &record(3)[1..]).unwrap();
    says(&problem(dir.path()), &["test_batch.bin", "3072 bytes"]);

    let python = tempfile::tempdir().unwrap();
    for name in ["data_batch_1", "batches.meta"] {
        fs::write(python.path().join(name), "pickle").unwrap();
    }
    says(&problem(python.path()), &["pickle", "cifar-10-binary.tar.gz"]);
}

#[test]
fn looking_needs_no_training_part() {
    let text = format!("file,label,split\n{}", rows(|n, class| format!("{n}.pgm,{class},test")));
    let (_dir, path) = table("a.csv", &text);
    let options = OpenOptions { need: Need::Test, ..OpenOptions::default() };
    let splits = open(path.to_str().unwrap(), &options, &|_| ()).unwrap();
    assert_eq!(splits.train.len(), 9);
}

/// What a page is packed with does not matter, nor where its levels are.
#[test]
fn parquet_is_unpacked() {
    for name in ["zstd.parquet", "gzip.parquet"] {
        let (packed, plain) = (opened(&fixture(name)).train, opened(&fixture("parquet")).train);
        assert_eq!((&packed.classes, &packed.labels), (&plain.classes, &plain.labels), "{name}");
        for i in 0..plain.len() {
            assert_eq!(packed.image(i).unwrap(), plain.image(i).unwrap(), "{name} {i}");
        }
    }
}

fn open_for(path: &Path, need: Need) -> Result<Splits, DataError> {
    open(path.to_str().unwrap(), &OpenOptions { need, ..OpenOptions::default() }, &|_| ())
}

/// Images alone: of all parts, whatever is said of them, also where nothing is.
#[test]
fn images_are_had_without_labels() {
    let images = |path: &Path| {
        let Splits { train, val, test, .. } = open_for(path, Need::Images).unwrap();
        assert_eq!(train.classes, [UNLABELLED]);
        [Some(train), val, test].into_iter().flatten().map(|data| data.len()).sum::<usize>()
    };
    for (name, count) in [
        ("parquet", 12),
        ("zstd.parquet", 9),
        ("webdataset", 12),
        ("stored.npz", 12),
        ("multi.npz", 9),
        ("one_hot.npz", 9),
    ] {
        assert_eq!(images(&fixture(name)), count, "{name}");
        assert!(is_collection(&fixture(name)), "{name}");
    }
    for text in [
        format!("file\n{}", rows(|n, _| format!("{n}.pgm"))),
        rows(|n, _| format!("{n}.pgm")),
        format!("file,label,split\n{}", rows(|n, class| format!("{n}.pgm,{class}|x,{n}"))),
    ] {
        let (dir, path) = table("a.csv", &text);
        assert_eq!(images(&path), 9, "{text}");
        assert!(
            !is_collection(&dir.path().join("images")) && !is_collection(&dir.path().join("images/0.pgm"))
        );
    }
    let (_dir, path) = table("a.csv", "file\n0.pgm\nnone.pgm\n");
    let splits = open_for(&path, Need::Images).unwrap();
    assert_eq!((splits.train.len(), splits.skipped.len()), (1, 1));
}

/// Whoever tests needs nothing to train on, and may have classes that the training part lacks.
#[test]
fn a_test_part_alone_can_be_tested_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let images = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2][..], &[9; 6]].concat();
    fs::write(at("t10k-images-idx3-ubyte"), &images).unwrap();
    assert_eq!(open_for(dir.path(), Need::Images).unwrap().train.len(), 3, "no labels");
    fs::write(at("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1]).unwrap();
    for path in [dir.path().to_path_buf(), at("t10k-images-idx3-ubyte")] {
        assert_eq!(open_for(&path, Need::Test).unwrap().train.labels, [0, 2, 1]);
    }
    says(&open_for(dir.path(), Need::Training).unwrap_err().to_string(), &["train-images", "missing"]);

    let cifar = tempfile::tempdir().unwrap();
    let record: Vec<u8> = [&[7][..], &[1; 3072]].concat();
    fs::write(cifar.path().join("test_batch.bin"), record).unwrap();
    assert_eq!(open_for(&cifar.path().join("test_batch.bin"), Need::Test).unwrap().train.labels, [7]);
    assert!(!is_collection(cifar.path()), "any file may be called so");
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
    fs::write(cifar.path().join("batches.meta.txt"), names).unwrap();
    let test = open_for(cifar.path(), Need::Test).unwrap().train;
    assert_eq!(test.classes[test.labels[0] as usize], "horse");

    let part = |n: usize| if n < 6 { "train" } else { "test" };
    let of = |n: usize| if n == 8 { "mouse" } else { "dog" };
    let text = format!("file,label,split\n{}", rows(|n, _| format!("{n}.pgm,{},{}", of(n), part(n))));
    let (_dir, path) = table("a.csv", &text);
    assert_eq!(open_for(&path, Need::Test).unwrap().test.unwrap().classes, ["dog", "mouse"]);
}

/// Several labels in one value are found in archives as in tables.
#[test]
fn several_labels_are_found_in_shards() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.tar");
    for (name, label, what) in [
        ("1.cls", "cat|dog", "1.pgm has several labels in one value, ‘cat|dog’"),
        ("1.json", r#"{"labels": ["cat", "dog"]}"#, "1.json: its label is a list"),
        ("1.txt", "cat; dog", "multi-label"),
    ] {
        let mut shard = tar::Builder::new(fs::File::create(&path).unwrap());
        for (name, content) in
            [("0.cls", "cat"), ("0.pgm", "P5 1 1 255 x"), (name, label), ("1.pgm", "P5 1 1 255 y")]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            shard.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        shard.finish().unwrap();
        says(&problem(&path), &[what, "multi-label"]);
    }
}
