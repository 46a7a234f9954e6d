//! Damaged IDX files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use wellfit_data::DataError;
use wellfit_data::idx::{parse_images, parse_labels};
use wellfit_fuzz::{Target, as_it_is, fuzz};

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
