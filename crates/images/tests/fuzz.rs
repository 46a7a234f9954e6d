//! Damaged images: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use wellfit_fuzz::{Target, as_it_is, files, fuzz};
use wellfit_images::{ImageError, decode_bytes};

const FIXTURES: &str = "tests/fixtures/pillow";

/// Every picture that comes out has the size it claims.
fn picture(bytes: &[u8]) -> Result<(), ImageError> {
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
        let end = at + 8 + length;
        let Some(crc) = bytes.get(at + 4..end).map(crc32fast::hash) else { return };
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&crc.to_be_bytes());
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
fn gif() {
    let tokens: [&[u8]; 6] =
        [b"GIF89a", b"!\xf9\x04", b"!\xff\x0bNETSCAPE2.0", b",\0\0\0\0", b"\x07\xff", b";"];
    images("gif", &[".gif"], &tokens, as_it_is);
}

#[test]
fn jxl() {
    let tokens: [&[u8]; 4] = [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"jxlc", b"jxlp"];
    images("jxl", &[".jxl"], &tokens, as_it_is);
}

#[test]
fn webp() {
    let tokens: [&[u8]; 8] =
        [b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X\x0a\0\0\0", b"ALPH", b"ANIM\x06\0\0\0", b"ANMF"];
    images("webp", &[".webp"], &tokens, as_it_is);
}

/// The kinds whose decoders panicked: frames and tiles that lie about their size.
#[test]
fn animated_and_tiled() {
    let tokens: [&[u8]; 5] =
        [b"ANMF", b"ALPH", b"VP8L", b"\x43\x01\x04\0\x01\0\0\0", b"\x1c\x01\x03\0\x01\0\0\0\x02\0"];
    let animated =
        ["animated.webp", "animated-lossy.webp", "animated-lossy-alpha.webp", "animated-lossless-alpha.webp"];
    images("animated", &animated, &tokens, as_it_is);
    images("tiled", &["tiles.tiff", "tiles-16.tiff", "tiles-22.tiff"], &tokens, as_it_is);
}

#[test]
fn pnm() {
    let tokens: [&[u8]; 8] = [b"P1 ", b"P2 ", b"P3 ", b"P4 ", b"P5 ", b"P6 ", b"65535\n", b"#\n"];
    images("pnm", &[".ppm", ".pgm", ".pbm"], &tokens, as_it_is);
}
