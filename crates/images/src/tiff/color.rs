//! From a row's bytes to RGB.

use super::directory::Directory;
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

/// CIELab under D50, a and b signed, to sRGB. Pillow asks LittleCMS, whose table of 8 bits differs by a level or two.
fn lab_to_rgb(l: u8, a: i8, b: i8) -> [u8; 3] {
    let y = (f64::from(l) * 100.0 / 255.0 + 16.0) / 116.0;
    let cube = |t: f64| if t > 6.0 / 29.0 { t * t * t } else { 3.0 * (6.0_f64 / 29.0).powi(2) * (t - 4.0 / 29.0) };
    let xyz = [
        0.9642 * cube(y + f64::from(a) / 500.0),
        cube(y),
        0.8249 * cube(y - f64::from(b) / 200.0),
    ];
    // The inverse of the sRGB profile's matrix, whose white is D50 (Bradford).
    const MATRIX: [[f64; 3]; 3] = [
        [3.134_136, -1.617_386, -0.490_662],
        [-0.978_796, 1.916_254, 0.033_443],
        [0.071_955, -0.228_977, 1.405_386],
    ];
    MATRIX.map(|row| {
        let light: f64 = row.iter().zip(xyz).map(|(factor, value)| factor * value).sum();
        let light = light.clamp(0.0, 1.0);
        let level = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        (level * 255.0).round() as u8
    })
}
