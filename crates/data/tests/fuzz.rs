//! Damaged images and IDX files: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;

use flate2::{Compression, Crc, write::GzEncoder};
use wellfit_data::DataError;
use wellfit_data::decode::decode_bytes;
use wellfit_data::idx::{parse_images, parse_labels};
use wellfit_fuzz::{Target, as_it_is, files, fuzz};

const FIXTURES: &str = "tests/fixtures/pillow";

/// Every picture that comes out has the size it claims.
fn picture(bytes: &[u8]) -> Result<(), DataError> {
    let image = decode_bytes(bytes, Path::new("x"))?;
    assert_eq!(image.pixels.len(), image.height * image.width * image.channels);
    Ok(())
}

/// The fixtures whose names end so, and what once made trouble.
fn images(name: &str, endings: &[&str], tokens: &[&[u8]], repair: fn(&mut [u8])) {
    let ends = |file: &str| endings.iter().any(|ending| file.ends_with(ending));
    let seeds = files(&[FIXTURES, "tests/corpus"], ends);
    fuzz(&Target { name, seeds: &seeds, tokens, repair }, picture);
}

#[test]
fn jpeg() {
    let markers: [&[u8]; 8] = [
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xda",
        b"\xff\xc4\0\x1f\0",
        b"\xff\xc2\0\x11\x08",
        b"\xff\xdd\0\x04",
        b"\xff\xd0",
        b"\xff\xee\0\x0eAdobe",
    ];
    images("jpeg", &[".jpg"], &markers, as_it_is);
}

#[test]
fn png() {
    let tokens: [&[u8]; 8] =
        [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"\0\0\0\x1afcTL", b"iCCP\0\0x\x9c"];
    images("png", &[".png"], &tokens, checksums);
}

/// PNG's chunks with their checksums right.
fn checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let Some(body) = bytes.get(at + 4..at + 8 + length) else { return };
        let mut crc = Crc::new();
        crc.update(body);
        let end = at + 8 + length;
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}

#[test]
fn bmp() {
    let tokens: [&[u8]; 5] = [b"BM", b"\x28\0\0\0", b"\x7c\0\0\0", b"\x20\0\x03\0\0\0", b"\x08\0\x01\0\0\0"];
    images("bmp", &[".bmp"], &tokens, as_it_is);
}

#[test]
fn tiff() {
    // Tags and values of directories: sizes, compressions, strips and tiles, BigTIFF.
    let tokens: [&[u8]; 10] = [
        b"II*\0",
        b"MM\0*",
        b"II+\0\x08\0\0\0",
        b"\x03\x01\x03\0\x01\0\0\0\x05\0",
        b"\x03\x01\x03\0\x01\0\0\0\x07\0",
        b"\x42\x01\x04\0\x01\0\0\0",
        b"\x44\x01\x04\0",
        b"\x16\x01\x04\0\x01\0\0\0\xff\xff",
        b"\x06\x01\x03\0\x01\0\0\0\x06\0",
        b"\x3d\x01\x03\0\x01\0\0\0\x03\0",
    ];
    images("tiff", &[".tif", ".tiff"], &tokens, as_it_is);
}

#[test]
fn webp() {
    let tokens: [&[u8]; 8] =
        [b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X\x0a\0\0\0", b"ALPH", b"ANIM\x06\0\0\0", b"ANMF"];
    images("webp", &[".webp"], &tokens, as_it_is);
}

#[test]
fn pnm() {
    let tokens: [&[u8]; 10] = [
        b"P1 ",
        b"P2 ",
        b"P3 ",
        b"P4 ",
        b"P5 ",
        b"P6 ",
        b"P7\n",
        b"65535\n",
        b"#\n",
        b"TUPLTYPE RGB_ALPHA\nENDHDR\n",
    ];
    images("pnm", &[".ppm", ".pgm"], &tokens, as_it_is);
}

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
