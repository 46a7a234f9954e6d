//! The first frame of a GIF, on the canvas that Pillow shows it on.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// Decode the first frame to RGB. What it does not cover has its transparent colour, or else the first.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawImage, Defect> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    if let Some(limit) = NonZeroU64::new(256 << 20) {
        options.set_memory_limit(MemoryLimit::Bytes(limit));
    }
    let mut decoder = options.read_info(bytes)?;
    let screen = (decoder.width(), decoder.height());
    let frame = decoder.next_frame_info()?.ok_or(Defect::Corrupt("it has no picture"))?;
    let [left, top, across, down] = [frame.left, frame.top, frame.width, frame.height].map(usize::from);
    let background = frame.transparent.unwrap_or(0);
    let local = frame.palette.clone();
    let (width, height) = (usize::from(screen.0).max(left + across), usize::from(screen.1).max(top + down));
    check_size(width as u64, height as u64)?;
    check_size(across as u64, down as u64)?;
    let mut frame = vec![0; across * down];
    decoder.read_into_buffer(&mut frame)?;
    // Places without a colour are black.
    let mut palette = [[0; 3]; 256];
    let colors = local.as_deref().or(decoder.global_palette()).unwrap_or_default();
    for (color, &given) in palette.iter_mut().zip(colors.as_chunks().0) {
        *color = given;
    }
    let mut pixels = palette[usize::from(background)].repeat(width * height);
    for (row, line) in pixels.chunks_exact_mut(width * 3).skip(top).zip(frame.chunks_exact(across)) {
        for (out, &place) in row.as_chunks_mut().0[left..].iter_mut().zip(line) {
            *out = palette[usize::from(place)];
        }
    }
    Ok(RawImage { height, width, channels: 3, pixels, deep: false })
}

impl From<DecodingError> for Defect {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::Truncated,
            other => Self::Unreadable(other.to_string()),
        }
    }
}
