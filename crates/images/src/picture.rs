//! A decoded picture and how large it may be.

use crate::error::Defect;
use crate::share;

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawImage {
    /// Rows.
    pub height: usize,
    /// Pixels per row.
    pub width: usize,
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// height · width · channels bytes: row by row, the channels of a pixel together.
    pub pixels: Vec<u8>,
    /// Whether the file holds grey of more than 8 bits, so that [`Depth`](crate::Depth) decided what it looks like.
    pub deep: bool,
}

/// The most pixels a picture may have, so that a small file cannot fill the memory.
const MAX_PIXELS: u64 = 50_000_000;

/// What decoders take for a pixel, in bytes, at most: measured for PNG of 16 bits with alpha and for JPEG XL.
const USUAL: u64 = 16;

/// Refuse a size before memory is taken for it, and wait until others leave enough.
pub(crate) fn check_size(width: u64, height: u64) -> Result<(), Defect> {
    check_size_at(width, height, USUAL)
}

/// The same for a decoder that takes so many bytes for a pixel.
pub(crate) fn check_size_at(width: u64, height: u64, bytes: u64) -> Result<(), Defect> {
    match width * height {
        0 => Err(Defect::NoPixels),
        pixels if pixels > MAX_PIXELS => Err(Defect::TooLarge { width, height }),
        pixels => {
            share::reserve(pixels * bytes);
            Ok(())
        }
    }
}
