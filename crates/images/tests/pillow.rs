//! The pixels of Pillow, made by `parity/images.py`: formats and resizes.
//!
//! `cargo test -p wellfit-images --test pillow -- --nocapture` prints the largest difference of each case.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod expected;
#[path = "../../../parity/table.rs"]
mod table;

use std::fs;
use std::path::Path;

use expected::{cases, compare, decoded, fixture};
use proptest::prelude::*;
use wellfit_images::{Depth, Interpolation, decode_bytes, decode_bytes_as, resize, with_channels};

/// Not a bit differs, but for two kinds: LittleCMS computes CIELab with whole numbers of 16 bits, and libjxl JPEG XL
/// with other floating-point sums.
fn tolerance(file: &str) -> u8 {
    match file {
        "lab.tiff" | "lossy.jxl" => 1,
        _ => 0,
    }
}

#[test]
fn every_format_decodes_to_the_same_pixels() {
    let cases = cases("decode");
    assert_eq!(cases.len(), 189);
    let mut largest = 0;
    for case in &cases {
        let image = decoded(&case.file);
        let size = (image.height, image.width, image.channels);
        assert_eq!(size, (case.size.0, case.size.1, 3), "{}", case.file);
        largest = largest.max(compare(case, &image.pixels, tolerance(&case.file)));
    }
    let compared = format!("{} files", cases.len());
    let tolerance = "equal; 2 of them within 1 grey level";
    table::row("Images decoded", &["pillow"], &compared, tolerance, f64::from(largest));
}

/// The filters, and what stands before their cases.
const FILTERS: [(Interpolation, &str); 2] =
    [(Interpolation::Bilinear, "resize"), (Interpolation::Bicubic, "bicubic")];

#[test]
fn resizes_are_the_same_to_the_bit() {
    let mut images = 0;
    for (filter, what) in FILTERS {
        let cases = cases(what);
        assert_eq!(cases.len(), 12);
        for case in &cases {
            let image = decoded(&case.file);
            let got = resize(&image.pixels, (image.height, image.width), 3, case.size, filter);
            compare(case, &got, 0);
            images += 1;
        }
    }
    let compared = format!("{images} images");
    table::row("Images resized", &["torchvision", "pillow"], &compared, "equal", 0.0);
}

/// To one channel and then to the size.
#[test]
fn grey_resizes_are_the_same_to_the_bit() {
    for (filter, what) in FILTERS {
        for case in cases(&format!("{what}-grey")) {
            let image = decoded(&case.file);
            let grey = with_channels(&image.pixels, 3, 1);
            compare(&case, &resize(&grey, (image.height, image.width), 1, case.size, filter), 0);
        }
    }
}

/// Pillow cuts grey of more than 8 bits off at 255; it can be scaled instead, and is reported either way.
#[test]
fn deep_grey_is_cut_off_or_scaled_and_told_of() {
    let deep = |file: &str| decoded(file).deep;
    for file in
        ["grey-16.png", "grey-16.tiff", "grey-12.tiff", "kind-3-32.tiff", "grey-16.pgm", "plain-700.pgm"]
    {
        assert!(deep(file), "{file}");
    }
    for file in ["grey.png", "rgb-16.png", "grey-alpha-16.png", "grey-8.tiff", "rgb-16.ppm", "rgb-700.ppm"] {
        assert!(!deep(file), "{file}");
    }
    let bytes = b"P5 3 1 65535\n\0\x80\x80\0\xff\xff";
    let levels = |depth| decode_bytes_as(bytes, Path::new("x"), depth).unwrap().pixels;
    assert_eq!(levels(Depth::Clip), [[128; 3], [255; 3], [255; 3]].concat());
    // 128 / 257 is nearer to 0, 32768 / 257 is 127.5.
    assert_eq!(levels(Depth::Scale), [[0; 3], [128; 3], [255; 3]].concat());
}

fn reason(bytes: &[u8]) -> String {
    decode_bytes(bytes, Path::new("x")).unwrap_err().to_string()
}

#[test]
fn a_file_cut_short_is_an_error() {
    for case in cases("decode") {
        // Its first frame is whole in what is left.
        if case.file.starts_with("animated-") || case.file == "animated.gif" {
            continue;
        }
        let whole = fs::read(fixture(&case.file)).unwrap();
        let message = reason(&whole[..whole.len() * 6 / 10]);
        assert!(message.contains("cut short") || message.contains("damaged"), "{}: {message}", case.file);
        let jpeg = case.file.ends_with(".jpg");
        if jpeg {
            assert!(reason(&whole[..whole.len() - 2]).contains("the file is cut short"), "{}", case.file);
        }
    }
}

/// Between restart markers as well as at the end.
#[test]
fn a_cut_is_told_from_a_missing_restart_marker() {
    let mut whole = fs::read(fixture("restart-420.jpg")).unwrap();
    let restart =
        whole.windows(2).rposition(|pair| pair[0] == 0xFF && (0xD0..0xD8).contains(&pair[1])).unwrap();
    assert!(reason(&whole[..restart - 4]).contains("the file is cut short"));
    whole[restart + 1] ^= 1;
    assert!(reason(&whole).contains("a restart marker is missing"));
}

#[test]
fn what_is_no_image_is_named() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"  <!DOCTYPE html><html>404</html>", "HTML"),
        (b"just words", "text"),
        (b"PK\x03\x04 ", "ZIP"),
        (b"\0\0\0\x18ftypheic", "HEIC is not supported: convert it to PNG or JPEG"),
        (b"\0\0\0\x18ftypavif", "AVIF is not supported: convert it to PNG or JPEG"),
        (b"P7\nWIDTH 1", "PAM is not supported: convert it to PNG or JPEG"),
        (b"\0\0\0\x18ftypisom", "a video"),
        (&[0; 100], "zeros"),
        (b"\x81\xfe\x80", "nothing known"),
        (b"GIF89a\x01\0\x01\0\0\0\0", "cut short"),
        (b"\xff\xd8\xff\xe0", "cut short"),
    ] {
        let message = reason(bytes);
        assert!(message.starts_with("cannot use x: ") && message.contains(words), "{message}");
    }
}

/// A header that promises a huge picture is refused at once: these would take 1.2 to 12 GB.
#[test]
fn a_huge_picture_is_refused_by_its_header() {
    let mut jpeg = fs::read(fixture("baseline-444.jpg")).unwrap();
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xFF);
    let mut bmp = fs::read(fixture("rgb.bmp")).unwrap();
    bmp[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    for bytes in [&jpeg[..], &bmp, b"P6\n20000 20000\n255\n"] {
        assert!(reason(bytes).contains("at most 50 megapixels"), "{}", reason(bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Damage never panics, whatever it does to the picture.
    #[test]
    fn damage_never_panics(pick: prop::sample::Index, at: prop::sample::Index, new: [u8; 2], len in 1_usize..3) {
        let mut bytes = pick.get(files()).clone();
        let at = at.index(bytes.len() - 2);
        bytes[at..at + len].copy_from_slice(&new[..len]);
        let _ = decode_bytes(&bytes, Path::new("damaged"));
    }
}

fn files() -> &'static Vec<Vec<u8>> {
    static FILES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    FILES.get_or_init(|| cases("decode").iter().map(|case| fs::read(fixture(&case.file)).unwrap()).collect())
}
