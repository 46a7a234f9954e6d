//! Damaged IDX files, Parquet tables and tar shards: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use wellfit_data::idx::{parse_images, parse_labels};
use wellfit_data::{DataError, Need, OpenOptions, Splits, open};
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
