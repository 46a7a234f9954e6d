//! What PNG's decoder takes for granted, checked before it runs.

use crate::error::Defect;

/// Refuse a palette that is no list of 1 to 256 colours of three bytes: the decoder would panic.
pub(crate) fn check_palette(bytes: &[u8]) -> Result<(), Defect> {
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
