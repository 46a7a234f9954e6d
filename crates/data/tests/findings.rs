//! What is told of a folder: junk, spellings, copies, files that are not read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wellfit_data::{
    Augmentations, Cache, Copies, DataError, Depth, Loader, LoaderOptions, Need, OpenOptions, Preprocessing,
    Remark, Splits, open,
};

/// A folder with an image of two pixels for each path; equal numbers are equal pixels.
fn folder(files: &[(&str, u8)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, pixel) in files {
        write(&dir.path().join(file), &[b"P5 1 2 255\n".as_slice(), &[*pixel, 7]].concat());
    }
    dir
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn open_for(dir: &Path, need: Need) -> Result<Splits, DataError> {
    open(dir.to_str().unwrap(), &OpenOptions { need, ..OpenOptions::default() }, &|_| ())
}

fn told(splits: &Splits) -> String {
    splits.remarks.iter().map(|remark| format!("{remark}\n")).collect()
}

#[test]
fn formats_that_are_not_read_are_counted_and_named() {
    let dir = folder(&[("cat/1.pgm", 1), ("cat/2.jfif", 2), ("dog/1.JPE", 3)]);
    for name in
        ["cat/a.avif", "cat/b.AVIF", "dog/a.psd", "dog/a.heic", "dog/a.tga", "dog/list.txt", "dog/README"]
    {
        write(&dir.path().join(name), b"?");
    }
    let splits = open_for(dir.path(), Need::Training).unwrap();
    assert_eq!(splits.train.class_counts(), [2, 1]);
    let told = told(&splits);
    for part in [
        "2 .avif files are left out, such as",
        "1 .psd file is left out",
        "a.heic: convert",
        "1 .tga file",
        "files that are no images: 1 without extension, 1 .txt",
        "1 .jfif read, which torchvision passes over",
        "1 .jpe read",
    ] {
        assert!(told.contains(part), "{part} not in {told}");
    }
    let warnings = splits.remarks.iter().filter(|remark| remark.is_warning()).count();
    assert_eq!(warnings, 4, "one for each format: {told}");
}

#[test]
fn two_unicode_spellings_are_one_class_and_one_label() {
    let dir = folder(&[
        ("train/caf\u{e9}/1.pgm", 1),
        ("train/cafe\u{301}/2.pgm", 2),
        ("train/dune/1.pgm", 3),
        ("val/cafe\u{301}/1.pgm", 4),
        ("val/dune/1.pgm", 5),
    ]);
    let splits = open_for(dir.path(), Need::Training).unwrap();
    assert_eq!(splits.train.classes, ["caf\u{e9}", "dune"]);
    assert_eq!(
        (splits.train.labels.clone(), splits.val.as_ref().unwrap().labels.clone()),
        (vec![0, 0, 1], vec![0, 1])
    );
    assert!(told(&splits).contains("2 folders are spelled ‘caf\u{e9}’"), "{}", told(&splits));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_stay_two_classes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    for (part, number) in [("train", 0_u8), ("val", 100)] {
        for (class, name) in (0..).zip([&b"\xe9"[..], b"\xe8"]) {
            let path = dir.path().join(part).join(OsStr::from_bytes(name)).join("1.pgm");
            write(&path, &[b"P5 1 1 255\n".as_slice(), &[number + class]].concat());
        }
    }
    let splits = open_for(dir.path(), Need::Training).unwrap();
    assert_eq!(splits.train.classes, [r"\xe8", r"\xe9"]);
    assert_eq!((splits.train.labels, splits.val.unwrap().labels), (vec![0, 1], vec![0, 1]));
}

#[test]
fn classes_that_differ_in_capitals_only_are_told() {
    let dir = folder(&[("Cat/1.pgm", 1), ("cat/1.pgm", 2), ("dog/1.pgm", 3)]);
    let splits = open_for(dir.path(), Need::Training).unwrap();
    assert_eq!(splits.train.classes, ["Cat", "cat", "dog"]);
    let twins = Remark::CapitalsOnly { one: "Cat".into(), other: "cat".into() };
    assert!(splits.remarks.contains(&twins) && twins.is_warning(), "{}", told(&splits));
}

#[test]
fn an_empty_class_ends_training_but_not_the_look() {
    let dir = folder(&[("ant/1.pgm", 1), ("bee/1.pgm", 2)]);
    for class in ["owl", "cat"] {
        fs::create_dir(dir.path().join(class)).unwrap();
    }
    let message = open_for(dir.path(), Need::Training).unwrap_err().to_string();
    assert!(message.starts_with("2 classes hold no images") && message.contains("/cat\n"), "{message}");
    let splits = open_for(dir.path(), Need::Look).unwrap();
    assert_eq!((splits.train.classes.len(), splits.train.class_counts()), (4, vec![1, 1, 0, 0]));
    assert!(told(&splits).contains("owl holds no images"));
}

#[test]
fn a_bad_test_part_does_not_stop_training() {
    let dir = folder(&[("train/a/1.pgm", 1), ("train/b/1.pgm", 2), ("test/a/1.pgm", 3)]);
    write(&dir.path().join("test/b/1.pgm"), b"");
    let splits = open_for(dir.path(), Need::Training).unwrap();
    assert_eq!((splits.skipped.len(), splits.test.unwrap().len()), (1, 1));
    assert!(matches!(open_for(dir.path(), Need::Test), Err(DataError::BadFiles(_))));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_matters_only_where_it_is_needed() {
    let dir = folder(&[("train/a/1.pgm", 1), ("train/b/1.pgm", 2), ("test/a/1.pgm", 3)]);
    std::os::unix::fs::symlink("/no/such/folder", dir.path().join("test/b")).unwrap();
    assert!(open_for(dir.path(), Need::Training).unwrap().test.is_none());
    for need in [Need::Test, Need::TrainingAndTest] {
        assert!(open_for(dir.path(), need).unwrap_err().to_string().contains("test/b"));
    }
    std::os::unix::fs::symlink("/no/such/folder", dir.path().join("train/c")).unwrap();
    assert!(open_for(dir.path(), Need::Look).unwrap_err().to_string().contains("train/c"));
}

#[test]
fn copies_are_found_within_and_across_classes_and_parts() {
    let dir = folder(&[
        ("train/a/1.pgm", 1),
        ("train/a/2.pgm", 1),
        ("train/a/3.pgm", 1),
        ("train/a/4.pgm", 2),
        ("train/b/1.pgm", 2),
        ("train/b/2.pgm", 3),
        ("val/a/1.pgm", 1),
        ("val/b/1.pgm", 9),
        ("val/b/2.pgm", 3),
        ("test/a/1.pgm", 9),
        ("test/b/1.pgm", 10),
    ]);
    let splits = open_for(dir.path(), Need::Training).unwrap();
    let [val, test] = [splits.val.as_ref().unwrap(), splits.test.as_ref().unwrap()];
    let parts = [("training", &splits.train), ("validation", val), ("test", test)];
    let copies = Copies::among(&parts);
    assert_eq!((copies.sets.len(), copies.within()), (4, 2));
    // The picture 2 is a and b; 9 is b in validation and a in the test part.
    assert_eq!(copies.contradictions().count(), 2);
    let shared = |a, b| copies.shared(a, b).count();
    assert_eq!([shared(0, 1), shared(0, 2), shared(1, 2)], [2, 0, 1]);
    let sentences = copies.sentences(&[6, 3, 2]);
    let starts = [
        "2 of 3 validation images are training images, too, such as",
        "1 of 2 test images are validation images",
        "2 pictures stand in more than one class",
        "2 images are copies of others of the same part and class",
    ];
    assert_eq!(sentences.len(), 4, "{sentences:?}");
    for (sentence, start) in sentences.iter().zip(starts) {
        assert!(sentence.starts_with(start), "{sentence}");
    }
    assert!(
        sentences[2].contains("train/a/4.pgm and") && sentences[2].contains("train/b/1.pgm"),
        "{}",
        sentences[2]
    );
    assert_eq!(Copies::among(&[("training", &val.subset(&[0, 1]))]).sentences(&[2]), [""; 0]);
}

/// One picture as PGM and as PPM: the files differ, the pixels do not. Two rows of one are not one row of two.
#[test]
fn pixels_are_compared_and_not_files() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("a/1.pgm"), b"P5 1 2 255\n\x05\x06");
    write(&dir.path().join("a/2.ppm"), b"P6 1 2 255\n\x05\x05\x05\x06\x06\x06");
    write(&dir.path().join("b/3.pgm"), b"P5 2 1 255\n\x05\x06");
    let splits = open_for(dir.path(), Need::Training).unwrap();
    let copies = Copies::among(&[("training", &splits.train)]);
    assert_eq!((copies.sets.len(), copies.within(), copies.contradictions().count()), (1, 1, 0));
}

#[test]
fn grey_of_sixteen_bits_is_warned_of() {
    let dir = folder(&[("cat/1.pgm", 1), ("dog/1.pgm", 2)]);
    let told_before = told(&open_for(dir.path(), Need::Training).unwrap());
    assert!(!told_before.contains("more than 8 bits"), "{told_before}");
    for (name, level) in [("cat/2.pgm", 9), ("dog/2.pgm", 7)] {
        let pixels = [[level, 0]; 4].concat();
        write(&dir.path().join(name), &[&b"P5 2 2 65535\n"[..], &pixels].concat());
    }
    let splits = open_for(dir.path(), Need::Training).unwrap();
    let told = told(&splits);
    assert!(told.contains("2 grey images are of more than 8 bits, such as "), "{told}");
    assert!(told.contains("cat/2.pgm: levels above 255 turn white"), "{told}");
    assert!(told.contains("`depth` scale divides them"), "{told}");
    let options = OpenOptions { depth: Depth::Scale, ..OpenOptions::default() };
    let scaled = open(dir.path().to_str().unwrap(), &options, &|_| ()).unwrap();
    assert!(scaled.remarks.is_empty(), "{:?}", scaled.remarks);
    // All are white where cut off, but they are no copies of each other.
    let copies = Copies::among(&[("training", &splits.train)]);
    assert!(copies.sets.is_empty(), "{copies:?}");
}

/// Levels of 16 bits are divided by 257 and rounded to the nearest: n.5 cannot be, since 257 is odd.
#[test]
fn grey_of_sixteen_bits_is_scaled_on_request() {
    let (dir, levels) = (tempfile::tempdir().unwrap(), [0_u16, 128, 129, 257, 32_767, 65_535]);
    let pixels: Vec<u8> = levels.iter().flat_map(|level| level.to_be_bytes()).collect();
    for name in ["cat/1.pgm", "dog/1.pgm"] {
        write(&dir.path().join(name), &[&b"P5 6 1 65535\n"[..], &pixels].concat());
    }
    let train = open_for(dir.path(), Need::Training).unwrap().train;
    for (depth, want) in [(Depth::Clip, [0, 128, 129, 255, 255, 255]), (Depth::Scale, [0, 0, 1, 1, 127, 255])]
    {
        let (mean, std) = (vec![0.0], vec![1.0 / 255.0]);
        let preprocessing = Preprocessing { depth, ..Preprocessing::new((1, 6), 1, mean, std) };
        let loader =
            Loader::new(train.clone(), preprocessing, Augmentations::none(), LoaderOptions::default());
        // A cache of one depth knows nothing of the other.
        let loader = loader.unwrap().with_cache(Cache::disk(&dir.path().join("cache"), 1 << 20).unwrap());
        let batch = loader.epoch(0).next().unwrap().unwrap();
        let found: Vec<u8> = batch.images[..6].iter().map(|level| level.round() as u8).collect();
        assert_eq!(found, want, "{depth}");
        assert_eq!(train.image_as(0, depth).unwrap().pixels, want.map(|level| [level; 3]).concat());
    }
}
