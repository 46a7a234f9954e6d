//! LZMA in TIFF: an `.xz` stream whose bytes are differences to the one before, as libtiff writes it.

use std::io::{BufReader, Cursor};

use crate::error::Defect;

/// Decompress to `length` bytes, or refuse a stream that holds more.
pub(super) fn decode(data: &[u8], length: usize) -> Result<Vec<u8>, Defect> {
    let cut = || Defect::Corrupt("its LZMA data makes no sense");
    // The stream's header is 12 bytes long, the block's begins with its length.
    let body = data.strip_prefix(b"\xfd7zXZ\0").and_then(|rest| rest.get(6..)).ok_or_else(cut)?;
    let header = (usize::from(*body.first().ok_or_else(cut)?) + 1) * 4;
    let (header, blocks) = body.split_at_checked(header).ok_or_else(cut)?;
    let distance = delta(header).ok_or_else(cut)?;
    // Each chunk says how much comes out of it: so a small file cannot fill the memory.
    let total = total(blocks).ok_or(Defect::Truncated)?;
    if total > length + (1 << 16) {
        return Err(cut());
    }
    let mut out = Vec::with_capacity(total);
    let mut input = BufReader::new(Cursor::new(blocks));
    lzma_rs::lzma2_decompress(&mut input, &mut out)
        .map_err(|error| Defect::Unreadable(format!("{error:?}")))?;
    if let Some(distance) = distance {
        for i in distance..out.len() {
            out[i] = out[i].wrapping_add(out[i - distance]);
        }
    }
    Ok(out)
}

/// How far apart differing bytes are, if the block header has the filter for that (The .xz File Format, 3.1 and 5.3).
fn delta(header: &[u8]) -> Option<Option<usize>> {
    let flags = *header.get(1)?;
    let mut at = 2;
    // The sizes of the block, which may be there: numbers of seven bits a byte.
    for present in [flags & 0x40, flags & 0x80] {
        if present != 0 {
            at += header.get(at..)?.iter().position(|byte| byte & 0x80 == 0)? + 1;
        }
    }
    let mut distance = None;
    for _ in 0..=(flags & 3) {
        let (id, size) = (*header.get(at)?, usize::from(*header.get(at + 1)?));
        match id {
            3 => distance = Some(usize::from(*header.get(at + 2)?) + 1),
            0x21 => return Some(distance),
            _ => return None,
        }
        at += 2 + size;
    }
    None
}

/// The bytes that all chunks of LZMA2 say they hold.
fn total(mut data: &[u8]) -> Option<usize> {
    let mut total = 0;
    loop {
        let (&control, rest) = data.split_first()?;
        if control == 0 {
            return Some(total);
        }
        let short = |at: usize| Some(usize::from(u16::from_be_bytes(*rest.get(at..)?.first_chunk()?)));
        let size = short(0)? + 1;
        if control < 0x80 {
            total += size;
            data = rest.get(2 + size..)?;
        } else {
            total += size + (usize::from(control & 0x1F) << 16);
            let properties = usize::from(control >= 0xC0);
            data = rest.get(4 + properties + short(2)? + 1..)?;
        }
    }
}
