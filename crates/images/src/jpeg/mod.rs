//! JPEG with the pixels of libjpeg-turbo, bit for bit.
//!
//! Pillow, and so torchvision, decodes with libjpeg-turbo. The standard leaves the rounding of the inverse
//! cosine transform and the enlarging of chroma to the decoder; the two common decoders in Rust differ from
//! libjpeg-turbo by up to 11 and 4 grey levels at the edges of things. A small decoder that follows libjpeg's
//! integer arithmetic differs by none, so a network sees here exactly what it sees in Python.
//!
//! Reads what photographs come in: baseline, extended and progressive Huffman JPEG of 8 bits, grey, YCbCr,
//! RGB, CMYK and YCCK, any whole-number chroma sampling, restart intervals. Stricter than libjpeg, which
//! paints over damage and warns: a damaged file is an error. ITU-T T.81 is the standard.

mod bits;
mod block;
mod color;
mod data;
mod frame;
mod idct;
mod scan;
mod smooth;
mod standard;
mod steps;
mod upsample;

use crate::error::Defect;
use crate::picture::RawImage;
use bits::Huffman;
use block::ZIGZAG;
use color::Space;
use frame::Frame;
use scan::{Scan, Tables};
use steps::AcTable;
use upsample::{Plane, Scratch};

/// The most scans a picture may have. Encoders write about ten; each costs a pass over all coefficients, however
/// few bytes it has, so that a small file could ask for hours.
const MAX_SCANS: usize = 100;

/// Decode a whole file to RGB.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawImage, Defect> {
    decode_part(&[], bytes, As::File)
}

/// What the components of a JPEG become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum As {
    /// RGB, by the JPEG's own account of what they are.
    File,
    /// RGB of what is YCbCr, whatever the JPEG says.
    Rgb,
    /// As they are, interleaved.
    Stored,
    /// As they are, but without a filter where they are enlarged.
    StoredRepeated,
}

/// Decode a JPEG inside another file, which keeps what several of them share in a JPEG of `tables` without a picture
/// (or in none).
pub(crate) fn decode_part(tables: &[u8], bytes: &[u8], space: As) -> Result<RawImage, Defect> {
    let mut decoder = Decoder { bytes: tables, at: 2, ..Decoder::default() };
    // Nothing need come after the tables.
    while decoder.at < tables.len() && decoder.segment()? {}
    (decoder.bytes, decoder.at) = (bytes, 2);
    while decoder.segment()? {}
    decoder.finish(space)
}

#[derive(Default)]
struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    tables: Tables,
    steps: [Option<[i16; 64]>; 4],
    restart_interval: usize,
    scans: usize,
    /// How many coefficients the scans have looked at.
    looks: u64,
    jfif: bool,
    /// The colour transform that Adobe's marker names.
    adobe: Option<u8>,
}

impl<'a> Decoder<'a> {
    /// Read the next segment; false after the last.
    fn segment(&mut self) -> Result<bool, Defect> {
        let marker = self.marker()?;
        match marker {
            0xD9 => return Ok(false),
            // Markers without a body: restart markers outside a scan, TEM.
            0xD0..=0xD7 | 0x01 => return Ok(true),
            _ => {}
        }
        let body = self.body()?;
        match marker {
            0xC0..=0xC2 if self.frame.is_none() => {
                self.frame = Some(Frame::parse(body, marker == 0xC2, 8 * self.bytes.len())?);
            }
            0xC0..=0xC2 => return Err(Defect::Corrupt("it has two frames")),
            0xC4 => self.huffman_tables(body)?,
            0xC8 | 0xCC => return Err(Defect::Unsupported("JPEG with arithmetic coding".into())),
            0xC3 | 0xC5..=0xCF => {
                return Err(Defect::Unsupported("lossless, layered or arithmetic JPEG".into()));
            }
            0xDA => self.scan(body)?,
            0xDB => self.quantization_tables(body)?,
            0xDD => {
                let &[high, low] = body else {
                    return Err(Defect::Corrupt("its restart interval is cut short"));
                };
                self.restart_interval = u16::from_be_bytes([high, low]).into();
            }
            0xE0 => self.jfif |= body.starts_with(b"JFIF\0") && body.len() >= 14,
            0xEE if body.starts_with(b"Adobe") && body.len() >= 12 => self.adobe = Some(body[11]),
            _ => {}
        }
        Ok(true)
    }

    /// The next marker; like libjpeg this skips whatever else comes first.
    fn marker(&mut self) -> Result<u8, Defect> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest.windows(2).position(|pair| pair[0] == 0xFF && ![0, 0xFF].contains(&pair[1]));
        let found = found.ok_or(Defect::Truncated)?;
        self.at += found + 2;
        Ok(rest[found + 1])
    }

    /// The body of a segment, whose first two bytes are its length.
    fn body(&mut self) -> Result<&'a [u8], Defect> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let &[high, low, ..] = rest else { return Err(Defect::Truncated) };
        // Some writers of Exif leave the length 0; libjpeg then goes on behind it.
        let length = usize::from(u16::from_be_bytes([high, low])).max(2);
        self.at += length;
        rest.get(2..length).ok_or(Defect::Truncated)
    }

    fn huffman_tables(&mut self, mut body: &[u8]) -> Result<(), Defect> {
        let cut = || Defect::Corrupt("a Huffman table is cut short");
        while let Some((&spec, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(cut)?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or_else(cut)?;
            let (number, homeless) =
                (usize::from(spec & 15), || Defect::Corrupt("a Huffman table has no place"));
            if spec >> 4 == 0 {
                if symbols.iter().any(|&symbol| symbol > 15) {
                    return Err(Defect::Corrupt("a Huffman table holds impossible sizes"));
                }
                *self.tables.dc.get_mut(number).ok_or_else(homeless)? = Some(Huffman::new(counts, symbols)?);
            } else {
                *self.tables.ac.get_mut(number).ok_or_else(homeless)? = Some(AcTable::new(counts, symbols)?);
            }
            body = rest;
        }
        Ok(())
    }

    fn quantization_tables(&mut self, mut body: &[u8]) -> Result<(), Defect> {
        let cut = || Defect::Corrupt("a quantisation table is cut short");
        while let Some((&spec, rest)) = body.split_first() {
            let width = if spec >> 4 == 0 { 1 } else { 2 };
            let (list, rest) = rest.split_at_checked(64 * width).ok_or_else(cut)?;
            let mut steps = [0; 64];
            for (&place, step) in ZIGZAG.iter().zip(list.chunks_exact(width)) {
                steps[usize::from(place)] = step.iter().fold(0, |all, &byte| all << 8 | i16::from(byte));
            }
            *self.steps.get_mut(usize::from(spec & 15)).ok_or_else(cut)? = Some(steps);
            body = rest;
        }
        Ok(())
    }

    fn scan(&mut self, body: &[u8]) -> Result<(), Defect> {
        let frame = self.frame.as_mut().ok_or(Defect::Corrupt("a scan comes before the frame header"))?;
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Defect::Corrupt("it has far too many scans"));
        }
        let scan = Scan::parse(body, frame)?;
        self.looks += scan.looks(frame);
        if self.looks > frame.most_looks(self.bytes.len()) {
            return Err(Defect::Corrupt("its scans ask for far more work than they bring data"));
        }
        for &(member, ..) in &scan.members {
            let component = &mut frame.components[member];
            let steps = self.steps.get(component.table).copied().flatten();
            component.steps = component.steps.or(steps);
        }
        standard::fill_in(&mut self.tables)?;
        self.at = scan.decode(frame, &self.tables, self.restart_interval, self.bytes, self.at)?;
        Ok(())
    }

    /// From coefficients to pixels.
    fn finish(self, space: As) -> Result<RawImage, Defect> {
        let mut frame = self.frame.ok_or(Defect::Corrupt("it has no picture"))?;
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        let smooth = space != As::StoredRepeated;
        let space = match space {
            As::File => Space::of(&ids, self.jfif, self.adobe),
            As::Rgb if ids.len() == 3 => Space::YCbCr,
            As::Rgb | As::Stored | As::StoredRepeated => Space::Stored,
        };
        let channels = if space == Space::Stored { ids.len() } else { 3 };
        let (width, height, max) = (frame.width, frame.height, frame.max_sampling());
        if frame.components.iter().any(|component| component.steps.is_none()) {
            return Err(Defect::Corrupt("a component is missing"));
        }
        if frame.progressive {
            frame.smooth();
            for component in &mut frame.components {
                (0..component.rows()).try_for_each(|row| component.transform(row))?;
            }
        }
        let planes: Vec<Plane> =
            frame.components.into_iter().map(|component| component.into_plane(max, smooth)).collect();
        let mut pixels = Vec::with_capacity(width * height * channels);
        let mut scratch: [Scratch; 4] = Default::default();
        for y in 0..height {
            let mut rows: [&[u8]; 4] = [&[]; 4];
            for (row, (plane, scratch)) in rows.iter_mut().zip(planes.iter().zip(&mut scratch)) {
                *row = plane.row(y, scratch);
            }
            let start = pixels.len();
            pixels.resize(start + width * channels, 0);
            space.convert(&rows[..planes.len()], &mut pixels[start..]);
        }
        Ok(RawImage { height, width, channels, pixels, deep: false })
    }
}
