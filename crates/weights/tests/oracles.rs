//! Other crates as witnesses: what `safetensors` and `pytorch-reader` read is what we read, and what we write as
//! safetensors is what `safetensors` reads.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic

mod common;

use std::collections::BTreeMap;

use common::{bytes, load, model};
use half::{bf16, f16};
use proptest::prelude::*;
use pytorch_reader::PytorchReader;
use safetensors::SafeTensors;
use wellfit_weights::{Array, Data, WeightFile, to_pth_bytes, to_safetensors_bytes};

/// Arrays by name: shape, type and the bits of each element.
type Contents = BTreeMap<String, (Vec<usize>, &'static str, Vec<u64>)>;

/// What our reader gave.
fn ours(file: &WeightFile) -> Contents {
    let content = |Array { shape, data }: &Array| match data {
        Data::F32(values) => (shape.clone(), "float", values.iter().map(|x| bits(*x)).collect()),
        Data::I64(values) => (shape.clone(), "integer", values.iter().map(|&n| n as u64).collect()),
        Data::I8(values) => (shape.clone(), "integer", values.iter().map(|&n| n as u64).collect()),
    };
    file.arrays.iter().map(|(name, array)| (name.clone(), content(array))).collect()
}

/// A float's bits, all NaNs being one.
fn bits(x: f32) -> u64 {
    if x.is_nan() { f32::NAN.to_bits().into() } else { x.to_bits().into() }
}

/// The little-endian elements of the type `name`, as our reader should convert them.
fn elements(name: &str, bytes: &[u8]) -> (&'static str, Vec<u64>) {
    fn each<const N: usize>(bytes: &[u8], decode: impl Fn([u8; N]) -> u64) -> Vec<u64> {
        let (elements, rest) = bytes.as_chunks::<N>();
        assert!(rest.is_empty());
        elements.iter().map(|&element| decode(element)).collect()
    }
    let float = |values| ("float", values);
    let integer = |values| ("integer", values);
    match name {
        "F16" => float(each(bytes, |b| bits(f16::from_le_bytes(b).to_f32()))),
        "BF16" => float(each(bytes, |b| bits(bf16::from_le_bytes(b).to_f32()))),
        "F32" => float(each(bytes, |b| bits(f32::from_le_bytes(b)))),
        "F64" => float(each(bytes, |b| bits(f64::from_le_bytes(b) as f32))),
        "BOOL" | "Bool" | "U8" => integer(each(bytes, |[b]| b.into())),
        "I8" => integer(each(bytes, |b| i64::from(i8::from_le_bytes(b)) as u64)),
        "I16" => integer(each(bytes, |b| i64::from(i16::from_le_bytes(b)) as u64)),
        "I32" => integer(each(bytes, |b| i64::from(i32::from_le_bytes(b)) as u64)),
        "I64" => integer(each(bytes, |b| i64::from_le_bytes(b) as u64)),
        other => panic!("a fixture has the type {other}"),
    }
}

fn by_safetensors(bytes: &[u8]) -> Contents {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let content = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| {
        let (kind, values) = elements(&format!("{:?}", view.dtype()), view.data());
        (name.to_owned(), (view.shape().to_vec(), kind, values))
    };
    file.iter().map(content).collect()
}

/// `key` is where a checkpoint keeps its state dict.
fn by_pytorch_reader(bytes: Vec<u8>, key: Option<&str>) -> Contents {
    let reader = PytorchReader::from_bytes(bytes, key).unwrap();
    let content = |(name, tensor): (&String, &pytorch_reader::Tensor)| {
        let (kind, values) = elements(&format!("{:?}", tensor.dtype()), &tensor.read().unwrap());
        (name.clone(), (tensor.shape().to_vec(), kind, values))
    };
    reader.tensors().iter().map(content).collect()
}

#[test]
fn safetensors_reads_our_fixtures_the_same() {
    for name in ["model.safetensors", "dtypes.safetensors"] {
        let expected = by_safetensors(&bytes(name));
        assert!(expected.len() > 8, "{name}");
        assert_eq!(ours(&load(name)), expected, "{name}");
    }
}

#[test]
fn pytorch_reader_reads_our_fixtures_the_same() {
    for (name, key) in [
        ("model.pth", None),
        ("legacy.pth", None),
        ("protocol4.pth", None),
        ("legacy_protocol5.pth", None),
        ("no_crc.pth", None),
        ("zip64.pth", None),
        ("dtypes.pth", None),
        ("views.pth", None),
        ("legacy_views.pth", None),
        ("parameter.pth", None),
        ("wrapped.pth", Some("model")),
        ("checkpoint.pth", Some("state_dict")),
    ] {
        let expected = by_pytorch_reader(bytes(name), key);
        assert!(!expected.is_empty(), "{name}");
        assert_eq!(ours(&load(name)), expected, "{name}");
    }
}

#[test]
fn pytorch_reader_reads_what_we_write() {
    let file = WeightFile { arrays: model(), ..WeightFile::default() };
    assert_eq!(by_pytorch_reader(to_pth_bytes(&file).unwrap(), None), ours(&file));
}

proptest! {
    /// Any bits in arrays of any shape, NaN payloads and subnormals too.
    #[test]
    fn safetensors_reads_what_we_write(
        floats in prop::collection::vec(any::<u32>().prop_map(f32::from_bits), 0..12),
        integers in prop::collection::vec(any::<i64>(), 0..12),
        codes in prop::collection::vec(any::<i8>(), 0..12),
        names in prop::collection::hash_set(any::<String>(), 4),
        metadata in prop::collection::btree_map(any::<String>(), any::<String>(), 0..3),
    ) {
        let shapes = [vec![floats.len()], vec![codes.len()], vec![1, integers.len(), 1], vec![]];
        let data = [Data::F32(floats), Data::I8(codes), Data::I64(integers), Data::F32(vec![0.5])];
        let arrays = shapes.into_iter().zip(data).map(|(shape, data)| Array { shape, data });
        let file = WeightFile { arrays: names.into_iter().zip(arrays).collect(), metadata };
        let bytes = to_safetensors_bytes(&file).unwrap();
        prop_assert_eq!(by_safetensors(&bytes), ours(&file));
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let read: BTreeMap<_, _> = header.metadata().clone().unwrap_or_default().into_iter().collect();
        prop_assert_eq!(read, file.metadata);
    }
}
