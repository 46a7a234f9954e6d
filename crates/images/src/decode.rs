//! From an image file to RGB bytes, with the pixels that Pillow's `Image.open(path).convert("RGB")` has.
//!
//! What becomes of each kind of image:
//!
//! | stored | becomes |
//! |---|---|
//! | grey, 1 to 8 bits | three equal channels |
//! | palette | its colours |
//! | transparency (RGBA, grey with alpha, palette with alpha) | dropped, not blended |
//! | colours multiplied by alpha (TIFF) | divided by it, then alpha is dropped |
//! | 16 bits a channel, colour or with alpha | the high byte; in PPM the nearest of 256 levels |
//! | more than 8 bits, only grey; floating-point grey | cut off at 255, as Pillow does (so a true 16-bit picture turns white), or scaled: [`Depth`] |
//! | CMYK | white · (1 − ink), without a colour profile; JPEG inks are taken as inverted |
//! | CIELab (TIFF) | sRGB |
//! | orientation in EXIF | ignored, as torchvision does; TIFF's own tag is followed, as Pillow does |
//! | animation, several pages | the first picture |
//! | progressive JPEG that ends early, but in order | what is missing is estimated, as libjpeg does |
//!
//! All are equal to Pillow bit for bit, but CIELab and lossy JPEG XL, which differ by up to one level in the tests.
//! Colour profiles are ignored, but JPEG XL's. Refused are AVIF, HEIC, JPEG 2000, arithmetic and lossless JPEG, and
//! anything above 50 megapixels.

use std::path::Path;

use wellfit_base::file;

use crate::depth::Depth;
use crate::error::{Defect, ImageError};
use crate::formats::{Format, format_of, unreadable};
use crate::guard::guarded;
use crate::picture::RawImage;
use crate::share::sharing_memory;
use crate::{bmp, gif, jpeg, png, pnm, tiff, webp};

/// The most bytes an image file may have: 50 megapixels of four 16-bit channels, and something to spare.
pub const MAX_FILE: u64 = 512 << 20;

/// Read and decode an image file to RGB, whatever the extension of its name.
///
/// # Errors
/// If the file cannot be read, or for the reasons of [`decode_bytes`].
pub fn decode_file(path: &Path) -> Result<RawImage, ImageError> {
    decode_file_as(path, Depth::Clip)
}

/// The same with a choice of what becomes of grey of more than 8 bits.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_file_as(path: &Path, depth: Depth) -> Result<RawImage, ImageError> {
    let read = file::read(path, MAX_FILE);
    let bytes = read.map_err(|source| ImageError::Io { path: path.to_path_buf(), source })?;
    decode_bytes_as(&bytes, path, depth)
}

/// Decode an image file's bytes to RGB, grey of 16 bits as Pillow does; `name` is only for errors.
///
/// # Errors
/// If the bytes are empty, no image, cut short, damaged, of a kind that is not supported, or more than
/// 50 megapixels, which is known before memory is taken.
pub fn decode_bytes(bytes: &[u8], name: &Path) -> Result<RawImage, ImageError> {
    decode_bytes_as(bytes, name, Depth::Clip)
}

/// The same with a choice of what becomes of grey of more than 8 bits.
///
/// # Errors
/// As [`decode_bytes`].
pub fn decode_bytes_as(bytes: &[u8], name: &Path, depth: Depth) -> Result<RawImage, ImageError> {
    sharing_memory(|| decode(bytes, depth))
        .map_err(|defect| ImageError::Unusable { path: name.to_path_buf(), reason: defect.to_string() })
}

fn decode(bytes: &[u8], depth: Depth) -> Result<RawImage, Defect> {
    match format_of(bytes) {
        _ if bytes.is_empty() => Err(Defect::Empty),
        Some(Format::Jpeg) => jpeg::decode(bytes),
        Some(Format::Bmp) => bmp::decode(bytes),
        Some(Format::Tiff) => tiff::decode(bytes, depth),
        Some(Format::Pnm) => pnm::decode(bytes, depth),
        Some(Format::Png) => guarded(|| png::decode(bytes, depth)),
        Some(Format::WebP) => guarded(|| webp::decode(bytes)),
        Some(Format::Gif) => guarded(|| gif::decode(bytes)),
        #[cfg(feature = "jxl")]
        Some(Format::Jxl) => guarded(|| crate::jxl::decode(bytes)),
        #[cfg(not(feature = "jxl"))]
        Some(Format::Jxl) => Err(Defect::Unsupported("JPEG XL in a build without --features jxl".into())),
        None => match unreadable(bytes) {
            Some(format) => Err(Defect::Unsupported(format.into())),
            None => Err(Defect::NotAnImage(looks_like(bytes))),
        },
    }
}

/// A guess at what a file that is no image is instead.
fn looks_like(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    let start: Vec<u8> = text.iter().take(14).map(u8::to_ascii_lowercase).collect();
    let begins = |with: &str| start.starts_with(with.as_bytes());
    if begins("<!doctype html") || begins("<html") {
        "an HTML page, perhaps what a failed download left"
    } else if begins("<svg") || begins("<?xml") {
        "XML or SVG"
    } else if begins("%pdf") {
        "a PDF document"
    } else if bytes.starts_with(b"PK\x03\x04") {
        "a ZIP archive"
    } else if bytes.get(4..8) == Some(b"ftyp") {
        "a video"
    } else if bytes.starts_with(&[0, 5, 0x16, 7]) {
        "macOS metadata"
    } else if bytes.iter().all(|&byte| byte == 0) {
        "zeros, perhaps what a failed copy left"
    } else if std::str::from_utf8(&bytes[..bytes.len().min(256)]).is_ok() {
        "text"
    } else {
        "nothing known"
    }
}
