//! From a row's bytes to RGB.

use super::directory::Directory;
use super::lab::lab_to_rgb;
use super::layout::{Layout, Meaning};
use super::ycbcr::YCbCr;
use crate::channels::ink_to_light;
use crate::error::Defect;

/// What turns the bytes of a pixel into RGB.
pub(super) enum Color {
    Grey { inverted: bool },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    YCbCr(Box<YCbCr>),
    Lab,
}

impl Color {
    pub(super) fn of(layout: &Layout, tags: &Directory<'_>) -> Result<Self, Defect> {
        Ok(match layout.meaning {
            // Wider numbers are not inverted by Pillow.
            Meaning::WhiteIsZero => Self::Grey { inverted: layout.bits <= 8 },
            Meaning::BlackIsZero => Self::Grey { inverted: false },
            Meaning::Rgb => Self::Rgb,
            Meaning::Palette => Self::Palette(palette(layout, tags)?),
            Meaning::Cmyk => Self::Cmyk,
            Meaning::YCbCr => Self::YCbCr(Box::new(YCbCr::of(tags))),
            Meaning::Lab => Self::Lab,
        })
    }

    /// Convert pixels of `samples` bytes each.
    pub(super) fn to_rgb(&self, pixels: &[u8], layout: &Layout, out: &mut [[u8; 3]]) {
        let pixels = pixels.chunks_exact(layout.samples);
        for (pixel, out) in pixels.zip(out) {
            let rgb = match self {
                Self::Grey { inverted } => [if *inverted { 255 - pixel[0] } else { pixel[0] }; 3],
                Self::Rgb => [pixel[0], pixel[1], pixel[2]],
                Self::Palette(colors) => colors.get(usize::from(pixel[0])).copied().unwrap_or_default(),
                Self::Cmyk => [0, 1, 2].map(|i| ink_to_light(255 - pixel[i], 255 - pixel[3])),
                Self::YCbCr(table) => table.to_rgb(pixel[0], pixel[1], pixel[2]),
                Self::Lab => lab_to_rgb(pixel[0], pixel[1] as i8, pixel[2] as i8),
            };
            *out = match pixel.get(layout.meaning.colors()) {
                Some(&alpha) if layout.premultiplied => rgb.map(|level| divided(level, alpha)),
                _ => rgb,
            };
        }
    }
}

/// A colour that was multiplied by its alpha; Pillow's `unpackRGBa`.
fn divided(level: u8, alpha: u8) -> u8 {
    (u32::from(level) * 255).checked_div(alpha.into()).unwrap_or(0).min(255) as u8
}

/// All reds, all greens, all blues, of 16 bits each.
fn palette(layout: &Layout, tags: &Directory<'_>) -> Result<Vec<[u8; 3]>, Defect> {
    let colors = 1 << layout.bits;
    let list: Vec<u8> = tags.numbers(320).take(3 * colors).map(|level| (level / 256) as u8).collect();
    if list.len() < 3 * colors {
        return Err(Defect::Corrupt("its palette is no list of colours"));
    }
    Ok((0..colors).map(|i| [list[i], list[colors + i], list[2 * colors + i]]).collect())
}
