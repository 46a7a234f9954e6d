//! Between colour and grey.

use std::borrow::Cow;

/// `pixels` with `to` interleaved channels where they have `from`, each 1 (grey) or 3 (RGB).
///
/// Colour becomes grey as by Pillow's `convert("L")`, grey becomes three equal channels; the same number of
/// channels costs nothing.
#[must_use]
pub fn with_channels(pixels: &[u8], from: usize, to: usize) -> Cow<'_, [u8]> {
    match (from, to) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        _ => Cow::Borrowed(pixels),
    }
}

/// Pixels of grey or RGB, with alpha where there are 2 or 4 channels, as RGB; alpha is dropped.
pub(crate) fn without_alpha(pixels: Vec<u8>, channels: usize) -> Vec<u8> {
    let grey = |pixel: &[u8]| [pixel[0]; 3];
    let color = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2]];
    match channels {
        1 | 2 => pixels.chunks_exact(channels).flat_map(grey).collect(),
        3 => pixels,
        _ => pixels.chunks_exact(channels).flat_map(color).collect(),
    }
}

/// ITU-R 601 luma with 16 fractional bits, as Pillow computes it.
fn luma(rgb: &[u8]) -> u8 {
    let weighted = |i: usize, weight: u32| u32::from(rgb[i]) * weight;
    ((weighted(0, 19595) + weighted(1, 38470) + weighted(2, 7471) + 0x8000) >> 16) as u8
}

/// One of cyan, magenta, yellow with black, both stored inverted, to one of red, green, blue: white · (1 − ink),
/// where white is what black leaves, rounded as Pillow's `MULDIV255`.
pub(crate) fn ink_to_light(ink: u8, white: u8) -> u8 {
    let product = u32::from(255 - ink) * u32::from(white) + 128;
    (u32::from(white) - (((product >> 8) + product) >> 8)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_and_grey_convert_both_ways() {
        assert_eq!(*with_channels(&[255, 0, 0], 3, 1), [76]);
        assert_eq!(*with_channels(&[9], 1, 3), [9, 9, 9]);
    }

    #[test]
    fn alpha_is_dropped() {
        let rgb = |channels| without_alpha(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], channels);
        assert_eq!(rgb(4), [1, 2, 3, 5, 6, 7, 9, 10, 11]);
        assert_eq!(rgb(2), [1, 1, 1, 3, 3, 3, 5, 5, 5, 7, 7, 7, 9, 9, 9, 11, 11, 11]);
        assert_eq!((rgb(3).len(), rgb(1).len()), (12, 36));
    }
}
