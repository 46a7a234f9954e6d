//! What Pillow and torchvision made of the files in `tests/fixtures/pillow`; the tests of `data` use it too.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use wellfit_images::{RawImage, decode_file};

/// A file of the fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/tests/fixtures/pillow").join(name)
}

/// One expectation: what was done to which file, and the resulting bytes.
pub struct Case {
    pub what: String,
    pub file: String,
    pub size: (usize, usize),
    pub bytes: Vec<u8>,
}

/// All cases in which `what` was done.
pub fn cases(what: &str) -> Vec<Case> {
    let mut blob = Vec::new();
    let packed = fs::read(fixture("expected.bin.gz")).unwrap();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut blob).unwrap();
    let mut rest = &blob[..];
    let index = fs::read_to_string(fixture("expected.txt")).unwrap();
    let lines = index.lines().filter(|line| !line.starts_with('#'));
    let all = lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let size: (usize, usize) = (words[2].parse().unwrap(), words[3].parse().unwrap());
        let per_pixel = match words[0] {
            "resize-grey" | "bicubic-grey" => 1,
            "transform-grey-h" => size_of::<f32>(),
            what if what.starts_with("transform") => 3 * size_of::<f32>(),
            _ => 3,
        };
        let bytes = rest.split_off(..size.0 * size.1 * per_pixel).unwrap().to_vec();
        Case { what: words[0].into(), file: words[1].into(), size, bytes }
    });
    let all: Vec<Case> = all.collect();
    assert!(rest.is_empty(), "expected.txt accounts for every byte");
    all.into_iter().filter(|case| case.what == what).collect()
}

/// Print, check and return the largest difference in grey levels.
pub fn compare(case: &Case, got: &[u8], tolerance: u8) -> u8 {
    assert_eq!(got.len(), case.bytes.len(), "{} {}", case.what, case.file);
    let largest = got.iter().zip(&case.bytes).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    let (height, width) = case.size;
    println!(
        "{:16} {:24} {height:>3}×{width:<3} largest difference {largest}, allowed {tolerance}",
        case.what, case.file
    );
    assert!(largest <= tolerance, "{} {}: {largest} levels", case.what, case.file);
    largest
}

/// The pixels of a file of the fixtures.
pub fn decoded(file: &str) -> RawImage {
    decode_file(&fixture(file)).unwrap_or_else(|error| panic!("{error}"))
}
