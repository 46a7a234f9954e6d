//! Files that promise more than they hold, or hold more than they should: refused early, with little memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use std::sync::{Mutex, PoisonError};
use wellfit_fuzz::memory_of;
use wellfit_images::{ImageError, RawImage};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new("tests/fixtures/pillow").join(name)).unwrap()
}

/// The most that may be allocated; pictures of 7000×7000 would take ten times as much.
const LITTLE: usize = 16 << 20;

/// What the file decodes to, and the memory that took: one file at a time, because the memory is that of all threads.
fn measured(bytes: &[u8], name: &str) -> (Result<RawImage, ImageError>, usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    memory_of(|| wellfit_images::decode_bytes(bytes, Path::new(name)))
}

fn decode(bytes: &[u8]) -> Result<RawImage, ImageError> {
    measured(bytes, "x").0
}

/// The file must be refused for this reason, with little memory allocated.
#[track_caller]
fn refused(bytes: &[u8], reason: &str) {
    let (result, memory) = measured(bytes, "x");
    let message = result.unwrap_err().to_string();
    assert!(message.contains(reason), "{message}");
    assert!(memory < LITTLE, "{memory} bytes for: {message}");
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = fixture("rgb.png");
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn bmp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = fixture("rgb.bmp");
    bytes[18..22].copy_from_slice(&width.to_le_bytes());
    bytes[22..26].copy_from_slice(&height.to_le_bytes());
    bytes
}

/// Tags 256, 257 and 278 (the rows of its only strip) of a TIFF's only directory, each a u32 in place.
fn tiff(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = fixture("rgb.tiff");
    for (tag, value) in [(256_u16, width), (257, height), (278, height)] {
        let starts = |window: &[u8]| window[..2] == tag.to_le_bytes() && window[3..8] == [0, 1, 0, 0, 0];
        let at = bytes.windows(8).position(starts).unwrap();
        bytes[at + 2] = 4;
        bytes[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Fourteen bits each, less one, in the header of lossless data.
fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = fixture("lossless.webp");
    let at = bytes.windows(4).position(|window| window == b"VP8L").unwrap() + 9;
    bytes[at..at + 4].copy_from_slice(&((width - 1) | (height - 1) << 14).to_le_bytes());
    bytes
}

/// Fourteen bits each behind the start code of lossy data.
fn lossy_webp(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = fixture("lossy.webp");
    let at = bytes.windows(3).position(|window| window == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    bytes[at..at + 2].copy_from_slice(&width.to_le_bytes());
    bytes[at + 2..at + 4].copy_from_slice(&height.to_le_bytes());
    bytes
}

fn jpeg(name: &str, width: u16, height: u16) -> Vec<u8> {
    let mut bytes = fixture(name);
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0] || pair == [0xFF, 0xC2]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn pictures_of_gigapixels_are_refused_by_their_headers() {
    let limit = "at most 50 megapixels";
    refused(&png(60_000, 60_000), limit);
    refused(&png(1 << 30, 1 << 30), limit);
    refused(&bmp(60_000, 60_000), limit);
    refused(&tiff(60_000, 60_000), limit);
    refused(&webp(16_383, 16_383), limit);
    refused(&jpeg("baseline-444.jpg", 60_000, 60_000), limit);
    refused(&jpeg("progressive-444.jpg", 60_000, 60_000), limit);
    refused(b"P6 60000 60000 255\n", limit);
    refused(b"P6 99999999999999999999 1 255\n", "damaged");
}

/// Within the limit, but no file of that length can hold so much.
#[test]
fn pictures_that_cannot_be_whole_are_refused_by_their_length() {
    refused(&png(7000, 7000), "cut short");
    refused(&jpeg("baseline-444.jpg", 7000, 7000), "cut short");
    refused(&jpeg("progressive-420.jpg", 7000, 7000), "cut short");
    refused(b"P6 7000 7000 255\n", "cut short");
    refused(b"P4 7000 7000\n", "cut short");
    refused(&lossy_webp(7000, 7000), "cut short");
}

/// The decoder of WebP goes beyond the end of a frame that is lower than it says.
#[test]
fn a_decoders_panic_is_the_error_of_its_file() {
    let damaged = fs::read("tests/corpus/frame-height.webp").unwrap();
    let message = measured(&damaged, "x.webp").0.unwrap_err().to_string();
    assert!(message.starts_with("cannot use x.webp: the file is damaged: its decoder gave up"), "{message}");
}

/// A grey progressive JPEG of 49 megapixels: a scan for the first coefficient, a bit a block, and `scans` that look at all
/// the others and say in 88 bytes that nothing is there. All its data are zeros.
fn looked_at_in_vain(scans: usize) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8], data: usize| {
        bytes.extend([0xFF, marker]);
        bytes.extend((body.len() as u16 + 2).to_be_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len() + data, 0);
    };
    let table = |class: u8, symbol: u8| [&[class, 1][..], &[0; 15], &[symbol]].concat();
    segment(0xDB, &[&[0][..], &[1; 64]].concat(), 0);
    segment(0xC2, &[8, 0x1B, 0x58, 0x1B, 0x58, 1, 1, 0x11, 0], 0);
    segment(0xC4, &table(0, 0), 0);
    segment(0xC4, &table(0x10, 0xE0), 0);
    segment(0xDA, &[1, 1, 0, 0, 0, 0], 875 * 875 / 8 + 1);
    for scan in 0..scans {
        segment(0xDA, &[1, 1, 0, 1, 63, if scan == 0 { 0x01 } else { 0x10 }], 88 + 1);
    }
    [&bytes[..], &[0xFF, 0xD9]].concat()
}

#[test]
fn the_work_of_a_jpegs_scans_is_bound_by_its_length() {
    let few = decode(&looked_at_in_vain(3)).unwrap();
    assert_eq!((few.height, few.width), (7000, 7000));
    let message = decode(&looked_at_in_vain(90)).unwrap_err().to_string();
    assert!(message.contains("far more work"), "{message}");
}

/// Each scan of a progressive JPEG is a pass over the whole picture, and may have but a few bytes.
#[test]
fn a_jpeg_of_endless_scans_is_refused() {
    let whole = fixture("progressive-grey.jpg");
    let scan = whole.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let next = scan + 2 + whole[scan + 2..].windows(2).position(|pair| pair == [0xFF, 0xC4]).unwrap();
    let endless = [&whole[..scan], &whole[scan..next].repeat(10_000), &whole[next..]].concat();
    let message = decode(&endless).unwrap_err().to_string();
    assert!(message.contains("too many scans"), "{message}");
}
