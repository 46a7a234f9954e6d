//! JPEG of the old style (compression 6): the parts of one JPEG, scattered over a TIFF file (TIFF 6.0, section 22).

use super::directory::Directory;
use super::layout::Layout;
use crate::error::Defect;
use crate::jpeg;

/// The whole picture as three bytes of YCbCr a pixel, chroma repeated as libtiff does.
pub(super) fn decode(
    layout: &Layout,
    tags: &Directory<'_>,
    bytes: &[u8],
    strips: &[(usize, usize)],
) -> Result<Vec<u8>, Defect> {
    let stream = tags.number(513).and_then(|start| bytes.get(usize::try_from(start).ok()?..));
    let stream = stream.filter(|stream| stream.starts_with(&[0xFF, 0xD8]));
    // Often all of it is there in one piece, too.
    let whole = stream.and_then(|stream| jpeg::decode_part(&[], stream, jpeg::As::StoredRepeated).ok());
    let part = match whole {
        Some(part) => part,
        None => {
            let head = match stream {
                Some(stream) => header_of(stream),
                None => header_from(layout, tags, bytes)?,
            };
            let data: Vec<&[u8]> =
                strips.iter().map(|&(start, length)| &bytes[start..start + length]).collect();
            let joined = joined(&head, &data);
            jpeg::decode_part(&[], &joined, jpeg::As::StoredRepeated)?
        }
    };
    if (part.width, part.channels) != (layout.width, layout.samples) || part.height < layout.height {
        return Err(Defect::Corrupt("the JPEG in it has another size than the file says"));
    }
    let mut pixels = part.pixels;
    pixels.truncate(layout.width * layout.height * layout.samples);
    Ok(pixels)
}

/// The segments of a JPEG up to its data.
fn header_of(stream: &[u8]) -> Vec<u8> {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = stream.get(at..at + 4) {
        if marker == 0xD9 {
            break;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xDA {
            break;
        }
    }
    stream[..at.min(stream.len())].to_vec()
}

/// A header made from the tags `JPEGQTables`, `JPEGDCTables` and `JPEGACTables`, which say where the tables are.
fn header_from(layout: &Layout, tags: &Directory<'_>, bytes: &[u8]) -> Result<Vec<u8>, Defect> {
    let cut = || Defect::Corrupt("a table of its JPEG is missing");
    let at = |offset: u64| usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).ok_or_else(cut);
    let mut head = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, parts: &[&[u8]]| {
        let length = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
        head.extend([0xFF, marker]);
        head.extend((length as u16).to_be_bytes());
        parts.iter().for_each(|part| head.extend_from_slice(part));
    };
    for (i, offset) in (0..4).zip(tags.numbers(519)) {
        segment(0xDB, &[&[i], at(offset)?.get(..64).ok_or_else(cut)?]);
    }
    for (class, tag) in [(0, 520), (0x10, 521)] {
        for (i, offset) in (0..4).zip(tags.numbers(tag)) {
            let table = at(offset)?;
            let counts = table.get(..16).ok_or_else(cut)?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            segment(0xC4, &[&[class | i], table.get(..16 + total).ok_or_else(cut)?]);
        }
    }
    if let Some(interval) = tags.number(515) {
        segment(0xDD, &[&(interval as u16).to_be_bytes()]);
    }
    let (height, width) = ((layout.height as u16).to_be_bytes(), (layout.width as u16).to_be_bytes());
    let luma =
        if layout.samples == 1 { 0x11 } else { (layout.subsampling.0 << 4 | layout.subsampling.1) as u8 };
    let count = layout.samples.min(4) as u8;
    let components: Vec<u8> = (0..count).flat_map(|i| [i + 1, if i == 0 { luma } else { 0x11 }, i]).collect();
    segment(0xC0, &[&[8], &height, &width, &[count], &components]);
    let members: Vec<u8> = (0..count).flat_map(|i| [i + 1, i << 4 | i]).collect();
    segment(0xDA, &[&[count], &members, &[0, 63, 0]]);
    Ok(head)
}

/// A JPEG of a header and the data of all strips, with restart markers between them.
fn joined(head: &[u8], strips: &[&[u8]]) -> Vec<u8> {
    let mut out = head.to_vec();
    for (i, strip) in strips.iter().enumerate() {
        // The first strip may begin with the header itself.
        out.extend_from_slice(if i == 0 { strip.strip_prefix(head).unwrap_or(strip) } else { strip });
        let ends = out.len() > 1 && out[out.len() - 2] == 0xFF && (0xD0..=0xD9).contains(&out[out.len() - 1]);
        if i + 1 < strips.len() && !ends {
            out.extend([0xFF, 0xD0 + (i % 8) as u8]);
        }
    }
    out.extend([0xFF, 0xD9]);
    out
}
