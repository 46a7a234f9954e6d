//! Sharpness, as Pillow's `ImageEnhance.Sharpness`: the image is blended with a smooth one.

use super::enhance::blend;
use super::image::Image;

/// Blended with its `SMOOTH` version, in which a pixel counts five times and each of its neighbours once. Pixels at the
/// edge stay.
pub fn sharpness(image: &mut Image, factor: f64) {
    let (stride, channels, height) = (image.stride(), image.channels, image.size.0);
    let source = image.pixels.clone();
    if stride < 3 * channels {
        return;
    }
    for y in 1..height.saturating_sub(1) {
        let rows = [y - 1, y, y + 1].map(|y| &source[y * stride..][..stride]);
        let out = &mut image.pixels[y * stride..][..stride];
        for i in channels..stride - channels {
            let around =
                |row: &[u8]| u32::from(row[i - channels]) + u32::from(row[i]) + u32::from(row[i + channels]);
            let sum = rows.map(around).iter().sum::<u32>() + 4 * u32::from(source[y * stride + i]);
            // The nearest whole number to sum / 13, which is never half way between two.
            out[i] = blend(((2 * sum + 13) / 26) as u8, out[i], factor as f32);
        }
    }
}
