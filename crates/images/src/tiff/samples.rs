//! From the packed numbers of a row to one byte for each, as Pillow's unpackers.

use super::layout::{Format, Layout, Meaning};
use crate::depth::Depth;

/// Write the numbers of a row, `every` bytes apart, to `out`. Colours of 16 bits keep their high byte. Grey of more
/// than 8 bits becomes what `depth` says.
pub(super) fn unpack(layout: &Layout, row: &[u8], depth: Depth, out: &mut [u8], every: usize) {
    let out = out.iter_mut().step_by(every);
    let bits = layout.bits;
    match bits {
        1 | 2 | 4 => {
            // Grey is spread over all levels: 3 of 2 bits is 255. A palette's places are as they are.
            let full = (1_u16 << bits) - 1;
            let factor = if layout.meaning == Meaning::Palette { 1 } else { 255 / full };
            for (i, out) in out.enumerate() {
                let byte = row.get(i * bits / 8).copied().unwrap_or(0);
                let value = u16::from(byte) >> (8 - bits - i * bits % 8) & full;
                *out = (value * factor) as u8;
            }
        }
        8 => out.zip(row).for_each(|(out, &value)| *out = value),
        12 => {
            for (i, out) in out.enumerate() {
                let at = |at: usize| u32::from(row.get(at).copied().unwrap_or(0));
                let pair = at(i * 3 / 2) << 8 | at(i * 3 / 2 + 1);
                let value = if i % 2 == 0 { pair >> 4 } else { pair & 0xFFF };
                *out = depth.level(f64::from(value), f64::from((1 << 12) - 1));
            }
        }
        16 if layout.meaning.colors() > 1 => {
            let high = usize::from(layout.little);
            out.zip(row.as_chunks::<2>().0).for_each(|(out, value)| *out = value[high]);
        }
        16 => out.zip(row.as_chunks::<2>().0).for_each(|(out, &value)| {
            let value = if layout.little { u16::from_le_bytes(value) } else { u16::from_be_bytes(value) };
            *out = match layout.format {
                Format::Signed => depth.level(f64::from(value as i16), f64::from(i16::MAX)),
                _ => depth.level(f64::from(value), f64::from(u16::MAX)),
            };
        }),
        _ => out.zip(row.as_chunks::<4>().0).for_each(|(out, &value)| {
            let value = if layout.little { u32::from_le_bytes(value) } else { u32::from_be_bytes(value) };
            *out = match layout.format {
                Format::Float => depth.level(f64::from(f32::from_bits(value)), 1.0),
                // Pillow takes unsigned ones for signed, too.
                _ => depth.level(f64::from(value as i32), f64::from(i32::MAX)),
            };
        }),
    }
}
