//! What is written is read back bit for bit, and written whole or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic

mod common;

use common::model;
use proptest::prelude::*;
use wellfit_weights::{
    Array, Data, Dtype, Fault, WeightFile, WeightsError, from_bytes, read, to_pth_bytes,
    to_safetensors_bytes, write_pth, write_safetensors,
};

/// Any array of a few elements: any bits, NaN payloads and subnormals too.
fn array() -> impl Strategy<Value = Array> {
    prop::collection::vec(0_usize..4, 0..4).prop_flat_map(|shape| {
        let count: usize = shape.iter().product();
        let floats = prop::collection::vec(any::<u32>().prop_map(f32::from_bits), count).prop_map(Data::F32);
        let integers = prop::collection::vec(any::<i64>(), count).prop_map(Data::I64);
        let codes = prop::collection::vec(any::<i8>(), count).prop_map(Data::I8);
        prop_oneof![floats, integers, codes].prop_map(move |data| Array { shape: shape.clone(), data })
    })
}

fn weights() -> impl Strategy<Value = WeightFile> {
    let text = || any::<String>();
    let arrays = prop::collection::hash_map(text(), array(), 1..6).prop_map(|map| map.into_iter().collect());
    (arrays, prop::collection::btree_map(text(), text(), 0..3))
        .prop_map(|(arrays, metadata)| WeightFile { arrays, metadata })
}

/// Weights as bits, for NaN is not equal to itself.
fn bits(file: &WeightFile) -> Vec<(&str, &[usize], Dtype, Vec<u64>)> {
    let bits = |data: &Data| match data {
        Data::F32(values) => values.iter().map(|x| u64::from(x.to_bits())).collect(),
        Data::I64(values) => values.iter().map(|&x| x as u64).collect(),
        Data::I8(values) => values.iter().map(|&x| x as u64).collect(),
    };
    let arrays = file.arrays.iter();
    arrays
        .map(|(name, array)| (name.as_str(), array.shape.as_slice(), array.data.dtype(), bits(&array.data)))
        .collect()
}

proptest! {
    #[test]
    fn a_round_trip_keeps_every_bit(file in weights()) {
        let safetensors = to_safetensors_bytes(&file).unwrap();
        let back = from_bytes(&safetensors).unwrap();
        prop_assert_eq!(bits(&back), bits(&file));
        prop_assert_eq!(&back.metadata, &file.metadata);
        prop_assert_eq!(to_safetensors_bytes(&back).unwrap(), safetensors);

        let pth = to_pth_bytes(&file).unwrap();
        let back = from_bytes(&pth).unwrap();
        prop_assert_eq!(bits(&back), bits(&file));
        prop_assert_eq!(to_pth_bytes(&back).unwrap(), pth);
    }
}

fn model_file() -> WeightFile {
    WeightFile { arrays: model(), ..WeightFile::default() }
}

fn names_in(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_write_replaces_the_file_and_leaves_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.any");
    std::fs::write(&path, "old").unwrap();
    for write in [write_pth, write_safetensors] {
        write(&path, &model_file()).unwrap();
        assert_eq!(read(&path).unwrap(), model_file(), "the content tells the format");
        assert_eq!(names_in(directory.path()), ["model.any"]);
    }
}

#[test]
fn a_write_that_fails_keeps_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("old"), "old").unwrap();
    let error = write_pth(&path, &model_file()).unwrap_err();
    assert!(matches!(error, WeightsError::Io { action: "write", .. }), "{error}");
    assert_eq!(names_in(directory.path()), ["taken"]);
    assert_eq!(names_in(&path), ["old"]);
}

/// A temporary file is readable by its owner only; the result must be an ordinary file.
#[cfg(unix)]
#[test]
fn a_written_file_has_ordinary_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let mode = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
    std::fs::write(directory.path().join("ordinary"), "").unwrap();
    write_pth(&directory.path().join("ours"), &model_file()).unwrap();
    assert_eq!(mode("ours"), mode("ordinary"));
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    let error = read("no/such.pth".as_ref()).unwrap_err();
    assert!(matches!(error, WeightsError::Io { action: "read", .. }));
    assert!(error.to_string().starts_with("cannot read `no/such.pth`: "), "{error}");
}

#[test]
fn invalid_weights_are_not_written() {
    let array = |shape: &[usize], count| Array { shape: shape.to_vec(), data: Data::I64(vec![0; count]) };
    let file = |arrays: &[(&str, Array)]| {
        let arrays = arrays.iter().map(|(name, array)| ((*name).to_owned(), array.clone())).collect();
        WeightFile { arrays, ..WeightFile::default() }
    };
    let twice = file(&[("a", array(&[1], 1)), ("a", array(&[1], 1))]);
    let short = file(&[("a", array(&[2, 3], 5))]);
    let huge = file(&[("a", array(&[0, usize::MAX, usize::MAX], 0))]);
    for to_bytes in [to_pth_bytes, to_safetensors_bytes] {
        assert_eq!(to_bytes(&twice), Err(Fault::Invalid("two arrays are named `a`".into())));
        assert_eq!(to_bytes(&short), Err(Fault::Invalid("`a` has the shape [2, 3] but 5 elements".into())));
        assert!(matches!(to_bytes(&huge), Err(Fault::Invalid(_))));
    }
    let reserved = file(&[("__metadata__", array(&[1], 1))]);
    assert!(matches!(to_safetensors_bytes(&reserved), Err(Fault::Invalid(_))));
}

/// A header of 128 bytes begins the file with the byte 0x80, which also begins a pickle.
#[test]
fn no_length_of_a_header_hides_the_format() {
    let mut like_a_pickle = 0;
    for length in 0..100 {
        let arrays = vec![("a".repeat(length), Array { shape: vec![1], data: Data::F32(vec![1.0]) })];
        let file = WeightFile { arrays, ..WeightFile::default() };
        let bytes = to_safetensors_bytes(&file).unwrap();
        like_a_pickle += usize::from(bytes[0] == 0x80);
        assert_eq!(from_bytes(&bytes).unwrap(), file);
    }
    assert!(like_a_pickle > 0);
}
