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

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use wellfit_base::file;

use crate::depth::Depth;
use crate::error::{Defect, ImageError};
use crate::formats::{Format, format_of, unreadable};
use crate::guard::guarded;
use crate::picture::{MAX_PIXELS, RawImage, check_size};
use crate::share::sharing_memory;
use crate::{bmp, gif, jpeg, jxl, png, pnm, tiff, webp};

/// The most bytes an image file may have: 50 megapixels of four 16-bit channels, and something to spare.
pub const MAX_FILE: u64 = 512 << 20;

/// Deflate cannot shrink anything by more than this factor.
const MAX_DEFLATE_RATIO: u64 = 1032;

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
        Some(Format::Pnm) if !bytes.starts_with(b"P7") => pnm::decode(bytes, depth),
        Some(Format::Pnm) => guarded(|| decode_other(bytes, ImageFormat::Pnm, depth)),
        Some(Format::Png) => {
            png::check_palette(bytes)?;
            guarded(|| decode_other(bytes, ImageFormat::Png, depth))
        }
        Some(Format::WebP) => guarded(|| decode_other(bytes, ImageFormat::WebP, depth)),
        Some(Format::Gif) => guarded(|| gif::decode(bytes)),
        Some(Format::Jxl) => guarded(|| jxl::decode(bytes)),
        None => match unreadable(bytes) {
            Some(format) => Err(Defect::Unsupported(format.into())),
            None => Err(Defect::NotAnImage(looks_like(bytes))),
        },
    }
}

/// The formats that the `image` crate reads as Pillow does.
fn decode_other(bytes: &[u8], format: ImageFormat, depth: Depth) -> Result<RawImage, Defect> {
    let decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    if u64::from(width) * u64::from(height) > most_pixels(format, bytes) {
        return Err(Defect::Truncated);
    }
    let levels = |grey: &[u16]| -> Vec<u8> {
        let level = |&level: &u16| [depth.level(level.into(), u16::MAX.into()); 3];
        grey.iter().flat_map(level).collect()
    };
    let (pixels, deep) = match (DynamicImage::from_decoder(decoder)?, format) {
        (DynamicImage::ImageLuma16(grey), _) => (levels(&grey), true),
        // Grey with one level declared transparent looks the same here, but byte 25 of PNG distinguishes it from alpha.
        (wide @ DynamicImage::ImageLumaA16(_), ImageFormat::Png) if bytes.get(25) == Some(&0) => {
            (levels(&wide.into_luma16()), true)
        }
        (
            wide @ (DynamicImage::ImageRgb16(_)
            | DynamicImage::ImageRgba16(_)
            | DynamicImage::ImageLumaA16(_)),
            ImageFormat::Png,
        ) => (wide.into_rgb16().into_raw().into_iter().map(|level| (level >> 8) as u8).collect(), false),
        (eight_bits, _) => (eight_bits.into_rgb8().into_raw(), false),
    };
    Ok(RawImage { height: height as usize, width: width as usize, channels: 3, pixels, deep })
}

/// The most pixels that a file of that length can hold, where the format sets a limit.
fn most_pixels(format: ImageFormat, bytes: &[u8]) -> u64 {
    let length = bytes.len() as u64;
    match format {
        ImageFormat::Png => 8 * MAX_DEFLATE_RATIO * length,
        ImageFormat::Pnm => 8 * length,
        ImageFormat::WebP if webp::is_lossy(bytes) => 8 * 256 * length,
        _ => MAX_PIXELS,
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
