#![allow(dead_code, missing_docs)] // each test file uses a part

use std::path::PathBuf;

use wellfit_weights::{Array, Data, WeightFile, WeightsError, read};

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

pub fn load(name: &str) -> WeightFile {
    read(&path(name)).unwrap_or_else(|error| panic!("{error}"))
}

pub fn refusal(name: &str) -> String {
    let error = read(&path(name)).expect_err(name);
    assert!(matches!(error, WeightsError::File { .. }), "{error}");
    error.to_string()
}

/// The whole numbers of `filled` in `parity/weights.py`.
pub fn filled(count: usize, seed: i64) -> Vec<i64> {
    (0..count as i64).map(|k| (37 * k + seed) % 101 - 50).collect()
}

pub fn floats(numbers: &[i64]) -> Data {
    Data::F32(numbers.iter().map(|&n| n as f32 / 8.0).collect())
}

pub fn filled_f32(shape: &[usize], seed: i64) -> Array {
    Array { shape: shape.to_vec(), data: floats(&filled(shape.iter().product(), seed)) }
}

/// `model_state` in `parity/weights.py`.
pub fn model() -> Vec<(String, Array)> {
    let floats: [(&str, &[usize]); 9] = [
        ("conv.weight", &[4, 3, 3, 3]),
        ("conv.bias", &[4]),
        ("bn.weight", &[4]),
        ("bn.bias", &[4]),
        ("bn.running_mean", &[4]),
        ("bn.running_var", &[4]),
        ("bn.num_batches_tracked", &[]),
        ("fc.weight", &[2, 4]),
        ("fc.bias", &[2]),
    ];
    let mut arrays: Vec<_> = floats
        .iter()
        .zip(0..)
        .map(|(&(name, shape), seed)| (name.to_owned(), filled_f32(shape, seed)))
        .collect();
    arrays[6].1.data = Data::I64(filled(1, 6));
    arrays
}
