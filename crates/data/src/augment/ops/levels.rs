//! Changes to each value by itself, as Pillow's `ImageOps`.

use super::image::Image;

/// Keep the highest `bits` of each value.
pub fn posterize(image: &mut Image, bits: u32) {
    let mask = u8::MAX.checked_shl(8 - bits.min(8)).unwrap_or(0);
    image.pixels.iter_mut().for_each(|value| *value &= mask);
}

/// Turn values from `threshold` on into their negatives.
pub fn solarize(image: &mut Image, threshold: f64) {
    let table = std::array::from_fn(|i| if (i as f64) < threshold { i as u8 } else { 255 - i as u8 });
    image.look_up(&[table; 3]);
}

/// Stretch each channel to the whole range.
pub fn auto_contrast(image: &mut Image) {
    let tables: Vec<_> = image.histograms().iter().map(stretched).collect();
    image.look_up(&tables);
}

fn stretched(counts: &[u32; 256]) -> [u8; 256] {
    let (low, high) = (counts.iter().position(|&n| n > 0), counts.iter().rposition(|&n| n > 0));
    match (low, high) {
        (Some(low), Some(high)) if low < high => {
            let scale = 255.0 / (high - low) as f64;
            let offset = -(low as f64) * scale;
            // From f64 to u8 Rust rounds towards 0 and stays within the range.
            std::array::from_fn(|i| (i as f64 * scale + offset) as u8)
        }
        _ => std::array::from_fn(|i| i as u8),
    }
}

/// Make the values of each channel equally frequent.
pub fn equalize(image: &mut Image) {
    let tables: Vec<_> = image.histograms().iter().map(equalized).collect();
    image.look_up(&tables);
}

fn equalized(counts: &[u32; 256]) -> [u8; 256] {
    let used = counts.iter().filter(|&&n| n > 0);
    let last = used.clone().next_back().copied().unwrap_or(0);
    let step = (counts.iter().sum::<u32>() - last) / 255;
    if used.count() <= 1 || step == 0 {
        return std::array::from_fn(|i| i as u8);
    }
    let mut below = step / 2;
    counts.map(|n| {
        let level = below / step;
        below += n;
        level.min(255) as u8
    })
}
