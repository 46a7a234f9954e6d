//! Damaged IDX files, Parquet tables and tar shards: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use flate2::{Compression, write::GzEncoder};
use wellfit_data::cache::Cache;
use wellfit_data::idx::{parse_images, parse_labels};
use wellfit_data::{
    Augmentations, DataError, Dataset, Images, Loader, LoaderOptions, Need, OpenOptions, Preprocessing,
    Splits, open,
};
use wellfit_fuzz::{Report, Target, as_it_is, fuzz, fuzz_with, scratch};

fn idx(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let header = [magic].into_iter().chain(sizes.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain(data.iter().copied()).collect()
}

fn idx_files() -> Vec<Vec<u8>> {
    vec![idx(0x803, &[5, 4, 3], &[7; 60]), idx(0x801, &[9], &[0, 1, 2, 3, 4, 5, 6, 7, 8])]
}

fn both(bytes: &[u8]) -> Result<(), DataError> {
    let images = parse_images(bytes, Path::new("x"));
    let labels = parse_labels(bytes, Path::new("x"));
    assert!(images.is_err() || labels.is_err());
    labels.map(drop).or_else(|_| images.map(drop))
}

#[test]
fn idx_plain() {
    let tokens: [&[u8]; 2] = [b"\0\0\x08\x03", b"\0\0\x08\x01"];
    fuzz(&Target { name: "idx", seeds: &idx_files(), tokens: &tokens, repair: as_it_is }, both);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The gzip file itself is damaged, and (by the repair) what is in it.
#[test]
fn idx_gzip() {
    let many = idx(0x803, &[400, 28, 28], &[0; 400 * 784]);
    let mut seeds: Vec<_> = idx_files().iter().map(|file| gzip(file)).collect();
    seeds.extend([gzip(&many), [gzip(&many[..99]), gzip(&many[99..])].concat()]);
    let tokens: [&[u8]; 3] =
        [b"\x1f\x8b\x08\0", b"\x1f\x8b\x08\x1f\0\0\0\0\0\0\xff\xff", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"];
    fuzz(&Target { name: "idx-gzip", seeds: &seeds, tokens: &tokens, repair: as_it_is }, both);
}

/// The files of these names among the fixtures.
fn fixtures(names: &[&str]) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms");
    names.iter().map(|name| fs::read(dir.join(name)).unwrap()).collect()
}

/// Opens files of one name, as `evaluate` does: all rows are read, and all images decoded.
fn opening(target: &Target<'_>, name: &str, inputs: u32) -> Report {
    let dir = scratch(target.name);
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    let text = path.to_str().unwrap().to_owned();
    let options = OpenOptions { need: Need::Test, ..OpenOptions::default() };
    let report = fuzz_with(target, inputs, |bytes| -> Result<Splits, DataError> {
        fs::write(&path, bytes).unwrap();
        open(&text, &options, &|_| ())
    });
    fs::remove_dir_all(&dir).unwrap();
    report
}

/// Tables with images, packed by Snappy and Zstandard, and one of names. The tables of a Parquet file are read by a crate
/// that panics on some damage; a panic must not leave `open`.
fn parquet(inputs: u32) -> Report {
    let seeds = fixtures(&[
        "parquet/data/train-00000-of-00001.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "paths.parquet",
    ]);
    let tokens: [&[u8]; 4] = [b"PAR1", b"\x28\xb5\x2f\xfd", b"image", b"\x15\x02\x19"];
    let target = Target { name: "parquet", seeds: &seeds, tokens: &tokens, repair: as_it_is };
    opening(&target, "x.parquet", inputs)
}

/// Write the right sums into the headers of a tar file.
fn tar_sums(bytes: &mut [u8]) {
    for header in bytes.chunks_exact_mut(512).filter(|header| header[257..262] == *b"ustar") {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

fn tar(inputs: u32) -> Report {
    let seeds = fixtures(&["webdataset/train-000000.tar", "webdataset/test-000000.tar"]);
    let tokens: [&[u8]; 5] = [b"ustar\x0000", b"ustar  \0", b".cls", b".json", b"77777777777"];
    let target = Target { name: "tar", seeds: &seeds, tokens: &tokens, repair: tar_sums };
    opening(&target, "x.tar", inputs)
}

#[test]
fn damaged_parquet_has_an_answer() {
    assert!(parquet(2000).answers > 20);
}

#[test]
fn damaged_tar_shards_have_an_answer() {
    assert!(tar(2000).answers > 5);
}

#[test]
#[ignore = "minutes; before a release"]
fn many_damaged_archives_have_an_answer() {
    parquet(40_000);
    tar(40_000);
}

/// The key of the entry that is damaged.
static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// Write the right key and the right sum behind an entry.
fn cache_sums(bytes: &mut [u8]) {
    let Some((rest, sum)) = bytes.split_last_chunk_mut::<4>() else { return };
    if let Some((_, key)) = rest.split_last_chunk_mut::<32>() {
        *key = *KEY.get().unwrap();
    }
    *sum = crc32fast::hash(rest).to_le_bytes();
}

/// An entry of the disk cache whose key and sum are right, of any length: images come from it or are decoded again. With
/// random crops an entry says how large its picture is.
#[test]
fn damaged_cache_entries_are_a_miss_or_a_picture() {
    let dir = scratch("cache");
    fs::create_dir_all(&dir).unwrap();
    let picture = dir.join("0.pgm");
    fs::write(&picture, [b"P5 6 4 255\n", &[7; 24][..]].concat()).unwrap();
    let images = Images::Files(Arc::new(vec![picture]));
    let data = Dataset::new(vec!["a".into()], vec![0], images).unwrap();
    let cache = Cache::disk(&dir.join("entries"), 1 << 20).unwrap();
    let crops = Augmentations::named(["random_resized_crop"]).unwrap();
    let loader = Loader::new(data, Preprocessing::imagenet((3, 3)), crops, LoaderOptions::default()).unwrap();
    let loader = loader.with_cache(cache);
    let load = || loader.epoch(0).try_for_each(|batch| batch.map(drop));
    load().unwrap();
    let folder = fs::read_dir(dir.join("entries")).unwrap().next().unwrap().unwrap().path();
    let entry = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&entry).unwrap();
    KEY.set(whole[whole.len() - 36..whole.len() - 4].try_into().unwrap()).unwrap();
    let short = |size: [u32; 2]| {
        let mut bytes: Vec<u8> = size.into_iter().flat_map(u32::to_le_bytes).chain([0; 36]).collect();
        cache_sums(&mut bytes);
        bytes
    };
    let seeds = [whole, short([0, 0]), short([0, u32::MAX]), short([1, 0]), vec![0; 36], vec![0; 37]];
    let tokens: [&[u8]; 3] = [&[0; 4], &[0xff; 4], &[1, 0, 0, 0]];
    let target = Target { name: "cache", seeds: &seeds, tokens: &tokens, repair: cache_sums };
    fuzz(&target, |bytes| {
        fs::write(&entry, bytes).unwrap();
        load()
    });
    fs::remove_dir_all(&dir).unwrap();
}
