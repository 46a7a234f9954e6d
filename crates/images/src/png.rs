//! PNG, by the crate `png`: the picture that is shown where animations are not.

use std::io::{Cursor, ErrorKind};

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::channels::without_alpha;
use crate::depth::Depth;
use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// The most memory the decoder may take beside the picture.
const MEMORY: usize = 512 << 20;

/// Deflate cannot shrink anything by more than this factor.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// Decode a whole file to RGB.
pub(crate) fn decode(bytes: &[u8], depth: Depth) -> Result<RawImage, Defect> {
    check_palette(bytes)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MEMORY });
    let (width, height) = decoder.read_header_info()?.size();
    check_size(width.into(), height.into())?;
    // Eight pixels share a byte where each is black or white.
    if u64::from(width) * u64::from(height) > 8 * MAX_DEFLATE_RATIO * bytes.len() as u64 {
        return Err(Defect::Truncated);
    }
    // Fewer than 8 bits become 8, a palette its colours, a colour declared transparent a channel of alpha.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let mut stored = vec![0; reader.output_buffer_size().ok_or(Defect::Vast)?];
    reader.next_frame(&mut stored)?;
    let (color, bits) = reader.output_color_type();
    let wide = bits == BitDepth::Sixteen;
    let deep = wide && reader.info().color_type == ColorType::Grayscale;
    let pixels = if deep {
        let grey = |pixel: &[u8]| u16::from_be_bytes([pixel[0], pixel[1]]);
        let level = |pixel: &[u8]| [depth.level(grey(pixel).into(), u16::MAX.into()); 3];
        stored.chunks_exact(2 * color.samples()).flat_map(level).collect()
    } else {
        if wide {
            stored = stored.as_chunks().0.iter().map(|&[high, _low]| high).collect();
        }
        without_alpha(stored, color.samples())
    };
    Ok(RawImage { height: height as usize, width: width as usize, channels: 3, pixels, deep })
}

/// Refuse a palette that is no list of 1 to 256 colours of three bytes: the decoder would panic.
fn check_palette(bytes: &[u8]) -> Result<(), Defect> {
    match palette_length(bytes) {
        Some(length) if length % 3 != 0 || !(3..=768).contains(&length) => {
            Err(Defect::Corrupt("its palette is no list of colours"))
        }
        _ => Ok(()),
    }
}

/// The length of the first `PLTE` chunk, which must come before the pixels.
fn palette_length(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length);
        match after.get(..4)? {
            b"PLTE" => return Some(length),
            b"IDAT" => return None,
            // The name before the body, the checksum after it.
            _ => rest = after.get(8 + length as usize..)?,
        }
    }
}

impl From<DecodingError> for Defect {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Self::Truncated,
            DecodingError::LimitsExceeded => Self::Vast,
            other => Self::Unreadable(other.to_string()),
        }
    }
}
