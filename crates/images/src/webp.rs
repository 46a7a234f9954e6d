//! WebP, by the crate `image-webp`: the first frame.

use std::io::{Cursor, ErrorKind};

use image_webp::{DecodingError, WebPDecoder};

use crate::channels::without_alpha;
use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// Decode a whole file to RGB.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawImage, Defect> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    if is_lossy(bytes) && u64::from(width) * u64::from(height) > 8 * 256 * bytes.len() as u64 {
        return Err(Defect::Truncated);
    }
    let mut stored = vec![0; decoder.output_buffer_size().ok_or(Defect::Vast)?];
    decoder.read_image(&mut stored)?;
    let pixels = without_alpha(stored, if decoder.has_alpha() { 4 } else { 3 });
    Ok(RawImage { height: height as usize, width: width as usize, channels: 3, pixels, deep: false })
}

/// Whether the picture is stored lossily (`VP8 `), each macroblock of 16×16 pixels then taking a bit or more: the
/// modes of its luma and chroma are coded with fixed probabilities (RFC 6386, 11.2), the likeliest in two bits.
fn is_lossy(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        match (name, after.split_first_chunk::<4>()) {
            (b"VP8 ", _) => return true,
            (b"VP8L" | b"ANMF", _) | (_, None) => return false,
            // Chunks begin at even places.
            (_, Some((length, body))) => {
                let length = u32::from_le_bytes(*length) as usize;
                rest = body.get(length.next_multiple_of(2)..).unwrap_or_default();
            }
        }
    }
    false
}

impl From<DecodingError> for Defect {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Self::Truncated,
            DecodingError::MemoryLimitExceeded | DecodingError::ImageTooLarge => Self::Vast,
            other => Self::Unreadable(other.to_string()),
        }
    }
}
