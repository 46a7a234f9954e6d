//! From a TIFF file's bytes to RGB.

use super::color::Color;
use super::compression::decompress;
use super::directory::Directory;
use super::layout::{JPEG, Layout, Meaning, OLD_JPEG};
use super::orientation::turned;
use super::{old_jpeg, samples, ycbcr};
use crate::depth::Depth;
use crate::error::Defect;
use crate::jpeg;
use crate::picture::RawImage;

/// Decode the first picture.
pub(crate) fn decode(bytes: &[u8], depth: Depth) -> Result<RawImage, Defect> {
    let tags = Directory::first(bytes)?;
    let layout = Layout::of(&tags)?;
    let source = Source::of(&layout, &tags, bytes)?;
    let color = if source.is_rgb() { Color::Rgb } else { Color::of(&layout, &tags)? };
    let mut pixels = vec![0; layout.width * layout.height * 3];
    let mut levels = vec![0; layout.chunk.0 * layout.samples];
    let (across, down) = layout.chunks();
    for row in 0..down {
        for column in 0..across {
            let planes = source.chunk(row * across + column, row)?;
            let (left, top) = (column * layout.chunk.0, row * layout.chunk.1);
            let width = layout.chunk.0.min(layout.width - left);
            for y in 0..layout.rows(row).min(layout.height - top) {
                source.levels(&planes, y, depth, &mut levels);
                let start = ((top + y) * layout.width + left) * 3;
                let out = pixels[start..start + width * 3].as_chunks_mut().0;
                color.to_rgb(&levels[..width * layout.samples], &layout, out);
            }
        }
    }
    let size = (layout.height, layout.width);
    let (pixels, (height, width)) = turned(pixels, size, tags.short(274, 1));
    let deep = layout.meaning.colors() == 1 && layout.bits > 8;
    Ok(RawImage { height, width, channels: 3, pixels, deep })
}

/// Where chunks come from.
struct Source<'a> {
    layout: &'a Layout,
    bytes: &'a [u8],
    /// Where each chunk begins and how long it is; of raw pictures only the beginnings are known.
    places: Vec<(usize, usize)>,
    /// What all JPEG chunks share.
    tables: &'a [u8],
    fax_options: u64,
    /// The whole picture, if it is one JPEG of the old style.
    whole: Option<Vec<u8>>,
}

impl<'a> Source<'a> {
    fn of(layout: &'a Layout, tags: &Directory<'a>, bytes: &'a [u8]) -> Result<Self, Defect> {
        let (offsets, counts) = if layout.tiled { (324, 325) } else { (273, 279) };
        let (across, down) = layout.chunks();
        let wanted = across * down * if layout.planar { layout.samples } else { 1 };
        let offsets = tags.numbers(offsets);
        // Like Pillow: of several raw strips that are each said to be the whole picture, the last one is.
        let skip = if wanted == 1 && layout.compression == 1 { offsets.len().saturating_sub(1) } else { 0 };
        let mut counts = tags.numbers(counts).skip(skip);
        let places: Vec<(usize, usize)> = offsets
            .skip(skip)
            .take(wanted)
            .map(|offset| {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let count = counts.next().filter(|&count| count > 0 && layout.compression != 1);
                let rest = bytes.len() - start;
                (start, count.and_then(|count| count.try_into().ok()).unwrap_or(rest).min(rest))
            })
            .collect();
        let whole = match layout.compression {
            OLD_JPEG => Some(old_jpeg::decode(layout, tags, bytes, &places)?),
            _ if places.len() < wanted => return Err(Defect::Corrupt("it lacks the places of its pixels")),
            _ => None,
        };
        let tables = tags.bytes(347).unwrap_or_default();
        let fax_options = tags.number(292).unwrap_or(0);
        Ok(Self { layout, bytes, places, tables, fax_options, whole })
    }

    /// Whether the chunks are RGB, whatever the file says: JPEG's YCbCr is converted where it is decoded.
    fn is_rgb(&self) -> bool {
        self.layout.compression == JPEG && self.layout.meaning == Meaning::YCbCr && !self.layout.planar
    }

    /// The numbers of a chunk in row `row` of chunks: one list, or one for each number of a pixel.
    fn chunk(&self, number: usize, row: usize) -> Result<Vec<Vec<u8>>, Defect> {
        let (across, down) = self.layout.chunks();
        let planes = if self.layout.planar { self.layout.samples } else { 1 };
        (0..planes)
            .map(|plane| match &self.whole {
                Some(whole) => {
                    let row_bytes = self.layout.row_bytes();
                    let start = row * self.layout.chunk.1 * row_bytes;
                    Ok(whole[start..start + self.layout.rows(row) * row_bytes].to_vec())
                }
                None => self.decompressed(plane * across * down + number, row),
            })
            .collect()
    }

    fn decompressed(&self, number: usize, row: usize) -> Result<Vec<u8>, Defect> {
        let layout = self.layout;
        let (start, length) = *self.places.get(number).ok_or(Defect::Truncated)?;
        let data = &self.bytes[start..start + length];
        let (rows, row_bytes) = (layout.rows(row), layout.row_bytes());
        if layout.compression == JPEG {
            return self.jpeg(data, rows);
        }
        if layout.meaning == Meaning::YCbCr && !layout.planar && layout.subsampling != (1, 1) {
            let size = (layout.chunk.0, rows);
            let length = ycbcr::length(size, layout.subsampling);
            let data = decompress(layout, self.fax_options, data, rows, length)?;
            return ycbcr::expand(&data, size, layout.subsampling);
        }
        decompress(layout, self.fax_options, data, rows, rows * row_bytes)
    }

    /// A chunk that is a JPEG, whose size may differ from the chunk's.
    fn jpeg(&self, data: &[u8], rows: usize) -> Result<Vec<u8>, Defect> {
        if self.layout.bits != 8 {
            return Err(Defect::Unsupported(format!("JPEG with {} bits in TIFF", self.layout.bits)));
        }
        let space = if self.is_rgb() { jpeg::As::Rgb } else { jpeg::As::Stored };
        let part = jpeg::decode_part(self.tables, data, space)?;
        let samples = self.layout.samples_together();
        if part.channels != samples || part.width < self.layout.width.min(self.layout.chunk.0) {
            return Err(Defect::Corrupt("a JPEG in it has another size than the file says"));
        }
        let width = self.layout.chunk.0;
        let mut out = vec![0; rows * width * samples];
        let used = width.min(part.width) * samples;
        for (out, row) in out.chunks_exact_mut(width * samples).zip(part.pixels.chunks(part.width * samples))
        {
            out[..used].copy_from_slice(&row[..used]);
        }
        Ok(out)
    }

    /// Row `y` of a chunk, one byte a number.
    fn levels(&self, planes: &[Vec<u8>], y: usize, depth: Depth, out: &mut [u8]) {
        let row_bytes = self.layout.row_bytes();
        for (i, plane) in planes.iter().enumerate() {
            let row = plane.get(y * row_bytes..).unwrap_or_default();
            samples::unpack(self.layout, row, depth, &mut out[i..], planes.len());
        }
    }
}
