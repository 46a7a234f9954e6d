//! Brightness, contrast and saturation, as Pillow's `ImageEnhance`: the image is blended with one that has none.

use wellfit_images::with_channels;

use super::image::Image;

/// A value between `none` and `all`, or beyond `all`, as Pillow's `Image.blend`: in f32, rounded down.
pub(super) fn blend(none: u8, all: u8, factor: f32) -> u8 {
    // From f32 to u8 Rust rounds towards 0 and stays within the range.
    (f32::from(none) + factor * (f32::from(all) - f32::from(none))) as u8
}

/// The table of blends with one value.
fn blends_with(none: u8, factor: f64) -> [u8; 256] {
    std::array::from_fn(|all| blend(none, all as u8, factor as f32))
}

/// Blended with black.
pub fn brightness(image: &mut Image, factor: f64) {
    image.look_up(&[blends_with(0, factor); 3]);
}

/// Blended with the mean grey level.
pub fn contrast(image: &mut Image, factor: f64) {
    let grey = with_channels(&image.pixels, image.channels, 1);
    let sum: u64 = grey.iter().map(|&value| u64::from(value)).sum();
    let mean = (sum as f64 / grey.len() as f64 + 0.5) as u8;
    image.look_up(&[blends_with(mean, factor); 3]);
}

/// Blended with its grey version; a grey image stays.
pub fn saturation(image: &mut Image, factor: f64) {
    if image.channels == 1 {
        return;
    }
    let grey = with_channels(&image.pixels, 3, 1).into_owned();
    for (pixel, grey) in image.pixels.as_chunks_mut::<3>().0.iter_mut().zip(grey) {
        *pixel = pixel.map(|value| blend(grey, value, factor as f32));
    }
}

/// Without colours.
pub fn grayscale(image: &mut Image) {
    if image.channels == 3 {
        image.pixels = with_channels(&with_channels(&image.pixels, 3, 1), 1, 3).into_owned();
    }
}
