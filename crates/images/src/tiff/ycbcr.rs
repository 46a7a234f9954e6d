//! YCbCr that is not inside JPEG, with the rounding of libtiff's `tif_color.c`.

use super::directory::Directory;
use crate::error::Defect;

/// What each value of luma and chroma adds.
pub(super) struct YCbCr {
    luma: [i32; 256],
    red: [i32; 256],
    blue: [i32; 256],
    /// What red's and blue's chroma take from green, with 16 fractional bits.
    green: [[i32; 256]; 2],
}

impl YCbCr {
    /// By the tags `YCbCrCoefficients` and `ReferenceBlackWhite`.
    pub(super) fn of(tags: &Directory<'_>) -> Self {
        let [red, green, blue] = tags.fractions(529).unwrap_or([0.299, 0.587, 0.114]);
        let range = tags.fractions(532).unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let fixed = |factor: f32| (f64::from(factor.clamp(0.0, 2.0)) * 65536.0 + 0.5) as i32;
        let spread = |code: f32, black: f32, white: f32, levels: f32| {
            let width = if white == black { 1.0 } else { white - black };
            ((code - black.trunc()) * levels / width).clamp(-4096.0, 4096.0) as i32
        };
        let (to_red, to_blue) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        let [d1, d2] = [fixed(to_red), -fixed(red * to_red / green)];
        let [d3, d4] = [fixed(to_blue), -fixed(blue * to_blue / green)];
        let cr = |i: usize| spread(i as f32 - 128.0, range[4] - 128.0, range[5] - 128.0, 127.0);
        let cb = |i: usize| spread(i as f32 - 128.0, range[2] - 128.0, range[3] - 128.0, 127.0);
        let half = 1 << 15;
        Self {
            luma: std::array::from_fn(|i| spread(i as f32, range[0], range[1], 255.0)),
            red: std::array::from_fn(|i| (d1 * cr(i) + half) >> 16),
            blue: std::array::from_fn(|i| (d3 * cb(i) + half) >> 16),
            green: [std::array::from_fn(|i| d2 * cr(i)), std::array::from_fn(|i| d4 * cb(i) + half)],
        }
    }

    pub(super) fn to_rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let (y, cb, cr) = (self.luma[usize::from(y)], usize::from(cb), usize::from(cr));
        let green = (self.green[0][cr] + self.green[1][cb]) >> 16;
        [y + self.red[cr], y + green, y + self.blue[cb]].map(|level| level.clamp(0, 255) as u8)
    }
}

/// Bytes of a chunk whose chroma is subsampled: of each block of pixels all luma, then the two of chroma.
pub(super) fn length((width, rows): (usize, usize), (h, v): (usize, usize)) -> usize {
    width.div_ceil(h) * rows.div_ceil(v) * (h * v + 2)
}

/// Such a chunk as three bytes a pixel: chroma is repeated.
pub(super) fn expand(
    data: &[u8],
    (width, rows): (usize, usize),
    (h, v): (usize, usize),
) -> Result<Vec<u8>, Defect> {
    let (across, block) = (width.div_ceil(h), h * v + 2);
    if data.len() < length((width, rows), (h, v)) {
        return Err(Defect::Truncated);
    }
    let mut out = Vec::with_capacity(width * rows * 3);
    for y in 0..rows {
        for x in 0..width {
            let block = &data[(y / v * across + x / h) * block..][..block];
            out.extend([block[y % v * h + x % h], block[h * v], block[h * v + 1]]);
        }
    }
    Ok(out)
}
