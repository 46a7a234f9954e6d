//! BMP with the pixels of Pillow: Windows' and OS/2's headers, palettes, bit fields, runs.
//!
//! Our own reader, because the `image` crate refuses OS/2's second header and runs stored from the top, and leaves
//! gaps between runs another colour.

use std::borrow::Cow;

use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// What the headers say.
struct Header {
    width: usize,
    height: usize,
    top_down: bool,
    bits: usize,
    compression: u32,
    palette: Vec<[u8; 3]>,
    /// The bits of red, green and blue in a pixel of 16 or 32 bits.
    masks: [u32; 3],
    /// Where the pixels begin.
    start: usize,
}

const RAW: u32 = 0;
const RUNS_8: u32 = 1;
const RUNS_4: u32 = 2;
const BIT_FIELDS: u32 = 3;

fn short(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Decode a whole file to RGB.
pub(crate) fn decode(bytes: &[u8]) -> Result<RawImage, Defect> {
    let header = Header::read(bytes)?;
    let data = bytes.get(header.start..).ok_or(Defect::Truncated)?;
    let (width, height) = (header.width, header.height);
    let (data, bits) = match header.compression {
        RUNS_8 | RUNS_4 => (Cow::Owned(header.runs(data)?), 8),
        _ => (Cow::Borrowed(data), header.bits),
    };
    // Rows of runs are as long as the picture is wide, others are whole numbers of four bytes; the last may be cut.
    let used = (width * bits).div_ceil(8);
    let stride = if matches!(data, Cow::Owned(_)) { width } else { (width * bits).div_ceil(32) * 4 };
    if data.len() < stride * (height - 1) + used {
        return Err(Defect::Truncated);
    }
    let mut pixels = vec![0; width * height * 3];
    for (y, out) in pixels.chunks_exact_mut(width * 3).enumerate() {
        let row = if header.top_down { y } else { height - 1 - y };
        header.row(&data[row * stride..][..used], bits, out.as_chunks_mut().0);
    }
    Ok(RawImage { height, width, channels: 3, pixels, deep: false })
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Defect> {
        let cut = || Defect::Truncated;
        let start = long(bytes, 10).ok_or_else(cut)? as usize;
        let size = long(bytes, 14).ok_or_else(cut)? as usize;
        let info = bytes.get(14..14 + size.min(124)).ok_or_else(cut)?;
        let os2 = size == 12;
        if !os2 && ![40, 52, 56, 64, 108, 124].contains(&size) {
            return Err(Defect::Corrupt("its header has an unknown length"));
        }
        let field = |at| long(info, at).ok_or_else(cut);
        let word = |at| short(info, at).ok_or_else(cut);
        let [width, height, bits] =
            if os2 { [word(4)?, word(6)?, word(10)?] } else { [field(4)?, field(8)?, word(14)?] };
        let top_down = !os2 && info[11] == 0xFF;
        let height = if top_down { height.wrapping_neg() } else { height };
        check_size(width.into(), height.into())?;
        let [compression, colors] = if os2 { [RAW, 0] } else { [field(16)?, field(32)?] };
        let colors = if colors == 0 { 1_u64 << bits.min(32) } else { colors.into() };
        // Masks are in the header or, if that is short, behind it.
        let masks_behind = compression == BIT_FIELDS && size < 52;
        let behind = 14 + size + if masks_behind { 12 } else { 0 };
        let masks = match (compression, bits) {
            (BIT_FIELDS, _) => {
                let mask = |i: usize| long(bytes, 54 + 4 * i).ok_or_else(cut);
                [mask(0)?, mask(1)?, mask(2)?]
            }
            (_, 16) => [0x7C00, 0x3E0, 0x1F],
            _ => [0; 3],
        };
        // Without masks: blue, green, red, and a byte that is not used.
        let masks = if masks == [0; 3] { [0xFF_0000, 0xFF00, 0xFF] } else { masks };
        let mut header = Self {
            width: width as usize,
            height: height as usize,
            top_down,
            bits: bits as usize,
            compression,
            palette: Vec::new(),
            masks,
            start,
        };
        header.check(size)?;
        if bits <= 8 {
            let wide = if os2 { 3 } else { 4 };
            let length = (wide * colors.min(256)) as usize;
            let end = bytes.len().min(behind + length);
            // Places without a colour are black.
            header.palette = vec![[0; 3]; 256];
            let list = bytes.get(behind..end).unwrap_or_default().chunks_exact(wide as usize);
            for (color, bgr) in header.palette.iter_mut().zip(list) {
                *color = [bgr[2], bgr[1], bgr[0]];
            }
            // Some writers forget to count the palette.
            if start == behind {
                header.start += (wide * colors.min(65536)) as usize;
            }
        }
        if start == 0 {
            header.start = behind + 4 * header.palette.len().min(colors as usize);
        }
        Ok(header)
    }

    /// Refuse what is not read below.
    fn check(&self, size: usize) -> Result<(), Defect> {
        let known = match self.compression {
            RAW => [1, 2, 4, 8, 16, 24, 32].contains(&self.bits),
            RUNS_8 => self.bits == 8,
            RUNS_4 => self.bits == 4,
            // OS/2 has other meanings for this number.
            BIT_FIELDS => [16, 24, 32].contains(&self.bits) && size != 64,
            _ => false,
        };
        if known {
            return Ok(());
        }
        Err(Defect::Unsupported(format!("BMP of {} bits with compression {}", self.bits, self.compression)))
    }

    /// Convert a row.
    fn row(&self, row: &[u8], bits: usize, out: &mut [[u8; 3]]) {
        match bits {
            1 | 2 | 4 | 8 => {
                for (x, out) in out.iter_mut().enumerate() {
                    let byte = usize::from(row[x * bits / 8]);
                    *out = self.palette[byte >> (8 - bits - x * bits % 8) & ((1 << bits) - 1)];
                }
            }
            24 => {
                for (out, &[blue, green, red]) in out.iter_mut().zip(row.as_chunks::<3>().0) {
                    *out = [red, green, blue];
                }
            }
            _ => {
                for (out, pixel) in out.iter_mut().zip(row.chunks_exact(bits / 8)) {
                    let pixel = pixel.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte));
                    *out = self.masks.map(|mask| masked(pixel, mask));
                }
            }
        }
    }

    /// Undo the runs: a byte a pixel. What they jump over has the first colour.
    fn runs(&self, data: &[u8]) -> Result<Vec<u8>, Defect> {
        let (width, total) = (self.width, self.width * self.height);
        let halves = self.compression == RUNS_4;
        let mut out: Vec<u8> = Vec::with_capacity(total);
        let (mut at, mut x) = (0, 0);
        // Pixel `i` of a run of `byte`, which may hold two of them.
        let pixel = |byte: u8, i: usize| match (halves, i % 2) {
            (false, _) => byte,
            (true, 0) => byte >> 4,
            (true, _) => byte & 15,
        };
        while out.len() < total {
            let &[count, value] = data.get(at..at + 2).ok_or(Defect::Truncated)? else { break };
            at += 2;
            match (count, value) {
                (0, 0) => {
                    // A row that is full already is not followed by an empty one.
                    out.resize(out.len().next_multiple_of(width), 0);
                    x = 0;
                }
                (0, 1) => out.resize(total, 0),
                (0, 2) => {
                    let &[right, up] = data.get(at..at + 2).ok_or(Defect::Truncated)? else { break };
                    at += 2;
                    let jump = usize::from(right) + usize::from(up) * width;
                    out.resize(total.min(out.len() + jump), 0);
                    x = out.len() % width;
                }
                (0, count) => {
                    let count = usize::from(count).min(total - out.len());
                    let length = if halves { count.div_ceil(2) } else { count };
                    let bytes = data.get(at..at + length).ok_or(Defect::Truncated)?;
                    out.extend((0..count).map(|i| pixel(bytes[if halves { i / 2 } else { i }], i)));
                    x += count;
                    // Such a list takes a whole number of two bytes.
                    at += length.next_multiple_of(2);
                }
                (count, value) => {
                    // A run ends with its row.
                    let count = usize::from(count).min(width.saturating_sub(x)).min(total - out.len());
                    out.extend((0..count).map(|i| pixel(value, i)));
                    x += count;
                }
            }
        }
        Ok(out)
    }
}

/// The bits of `pixel` under `mask`, spread over 0 to 255 and rounded down.
fn masked(pixel: u32, mask: u32) -> u8 {
    let shift = mask.trailing_zeros();
    let most = mask.checked_shr(shift).unwrap_or(0);
    let value = (pixel & mask).checked_shr(shift).unwrap_or(0);
    (u64::from(value) * 255).checked_div(most.into()).unwrap_or(0) as u8
}
