//! PBM, PGM and PPM, plain and binary, with the rounding of Pillow.

use crate::depth::Depth;
use crate::error::Defect;
use crate::picture::{RawImage, check_size};

/// Decode a whole file, which begins with `P1` to `P6`, to RGB.
pub(crate) fn decode(bytes: &[u8], depth: Depth) -> Result<RawImage, Defect> {
    let kind = bytes[1];
    let mut reader = Reader { bytes, at: 2 };
    let (width, height) = (reader.header_number()?, reader.header_number()?);
    check_size(width, height)?;
    let (width, height) = (width as usize, height as usize);
    let one_bit = matches!(kind, b'1' | b'4');
    let most = if one_bit { 1 } else { reader.header_number()? };
    if !(1..65536).contains(&most) {
        return Err(Defect::Corrupt("its largest level is not between 1 and 65535"));
    }
    // One white space ends the header, and what follows may look like white space, too.
    reader.at += 1;
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let deep = channels == 1 && most > 255;
    let level = |value: u64| match value.min(most) {
        value if one_bit => 255 * (1 - value) as u8,
        value if most == 255 => value as u8,
        value if deep => depth.level((value as f64 / most as f64 * 65535.0).round_ties_even(), 65535.0),
        value => (value as f64 / most as f64 * 255.0).round_ties_even() as u8,
    };
    let count = width * height * channels;
    // A plain number takes a byte and a space, a plain bit a byte.
    let fewest = match kind {
        b'1' => count,
        b'2' | b'3' => 2 * count - 1,
        b'4' => width.div_ceil(8) * height,
        _ if most > 255 => 2 * count,
        _ => count,
    };
    let rest = reader.bytes.get(reader.at..).unwrap_or_default();
    if rest.len() < fewest {
        return Err(Defect::Truncated);
    }
    let mut levels = Vec::with_capacity(count);
    match kind {
        b'1' => levels.extend((0..count).map(|_| reader.bit().map(level)).collect::<Result<Vec<u8>, _>>()?),
        b'2' | b'3' => {
            for _ in 0..count {
                let value = reader.number()?;
                if value > most {
                    return Err(Defect::Corrupt("a level is larger than the largest"));
                }
                levels.push(level(value));
            }
        }
        b'4' => {
            for row in rest.chunks(width.div_ceil(8)).take(height) {
                levels.extend((0..width).map(|x| level(u64::from(row[x / 8] >> (7 - x % 8) & 1))));
            }
        }
        _ if most > 255 => {
            levels.extend(
                rest.as_chunks().0[..count].iter().map(|&wide| level(u16::from_be_bytes(wide).into())),
            );
        }
        _ => levels.extend(rest[..count].iter().map(|&value| level(value.into()))),
    }
    let pixels = if channels == 3 { levels } else { levels.into_iter().flat_map(|grey| [grey; 3]).collect() };
    Ok(RawImage { height, width, channels: 3, pixels, deep })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Skip white space and comments, which go on to the end of their line.
    fn skip(&mut self) {
        let mut comment = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            comment = match byte {
                b'\n' | b'\r' => false,
                b'#' => true,
                _ => comment,
            };
            if !comment && !byte.is_ascii_whitespace() && byte != 0x0B {
                break;
            }
            self.at += 1;
        }
    }

    /// A number of the header: the file is damaged if there is none.
    fn header_number(&mut self) -> Result<u64, Defect> {
        self.number().map_err(|defect| match defect {
            Defect::Truncated => defect,
            _ => Defect::Corrupt("its header makes no sense"),
        })
    }

    fn number(&mut self) -> Result<u64, Defect> {
        self.skip();
        let digits = self.bytes.get(self.at..).unwrap_or_default();
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Err(if digits.is_empty() {
                Defect::Truncated
            } else {
                Defect::Corrupt("a level is no number")
            });
        }
        if length > 10 {
            return Err(Defect::Corrupt("a number in it is too long"));
        }
        self.at += length;
        Ok(digits[..length].iter().fold(0, |all, digit| all * 10 + u64::from(digit - b'0')))
    }

    /// A plain bit; there need not be space between them.
    fn bit(&mut self) -> Result<u64, Defect> {
        self.skip();
        let &digit = self.bytes.get(self.at).ok_or(Defect::Truncated)?;
        self.at += 1;
        match digit {
            b'0' | b'1' => Ok(u64::from(digit - b'0')),
            _ => Err(Defect::Corrupt("a level is no number")),
        }
    }
}
