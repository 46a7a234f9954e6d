//! Resizing exactly as Pillow does it, hence as torchvision does on Pillow images.
//!
//! Pillow's bilinear filter is a triangle as wide as the scale (never narrower than one pixel), so that
//! shrinking averages instead of skipping pixels. It works in two passes with weights of 22 fractional bits
//! and rounds to 8 bits after each, so their order shows: rows come first, but since Pillow 13 not where that
//! would be much slower. A network trained with one resize and used with another loses accuracy (Parmar et
//! al. 2022, "On Aliased Resizing"); so this one differs in no bit.

use std::borrow::Cow;

/// Fractional bits of a weight: 8 bits of pixel and 2 of headroom leave 22 of 32 (Pillow's `Resample.c`).
const PRECISION_BITS: u32 = 32 - 8 - 2;
const HALF: u32 = 1 << (PRECISION_BITS - 1);

/// Resize `src`, rows of `channels` interleaved bytes, from (height, width) to (height, width).
///
/// The result equals Pillow's `Image.resize((width, height), BILINEAR)` bit for bit. An axis that keeps its
/// length is not filtered.
///
/// # Panics
/// If `src` is not height · width · channels long, or a length is 0.
#[must_use]
pub fn resize_bilinear(src: &[u8], from: (usize, usize), channels: usize, to: (usize, usize)) -> Vec<u8> {
    assert_eq!(src.len(), from.0 * from.1 * channels, "an image of {from:?} with {channels} channels");
    assert!(src.len() * to.0 * to.1 > 0, "an image has pixels");
    let across = |src| resize_rows(src, from.1, channels, to.1);
    let down = |src, width| resize_columns(src, from.0, width * channels, to.0);
    let src = Cow::Borrowed(src);
    if columns_first(from, to) { across(down(src, from.1)) } else { down(across(src), to.1) }.into_owned()
}

/// Whether Pillow 13 starts with the columns: where height is lost, and more than twice as much as width.
fn columns_first(from: (usize, usize), to: (usize, usize)) -> bool {
    let lost = |from: usize, to: usize| from as i64 - to as i64;
    let (height, width) = (lost(from.0, to.0), lost(from.1, to.1));
    height > 0 && height > 2 * width
}

/// The horizontal pass: every row from `from` to `to` pixels.
fn resize_rows(src: Cow<'_, [u8]>, from: usize, channels: usize, to: usize) -> Cow<'_, [u8]> {
    match channels {
        _ if from == to => src,
        1 => row_by_row::<1>(&src, from, to).into(),
        3 => row_by_row::<3>(&src, from, to).into(),
        _ => panic!("an image has 1 or 3 channels, not {channels}"),
    }
}

fn row_by_row<const C: usize>(src: &[u8], from: usize, to: usize) -> Vec<u8> {
    let taps = Taps::new(from, to);
    let mut out = vec![0; src.len() / from * to];
    for (row, out) in src.chunks_exact(from * C).zip(out.chunks_exact_mut(to * C)) {
        for ((first, weights), out) in taps.iter().zip(out.chunks_exact_mut(C)) {
            let mut sum = [HALF; C];
            for (pixel, &weight) in row[first * C..].chunks_exact(C).zip(weights) {
                for (sum, &value) in sum.iter_mut().zip(pixel) {
                    *sum += u32::from(value) * weight;
                }
            }
            out.iter_mut().zip(sum).for_each(|(out, sum)| *out = round(sum));
        }
    }
    out
}

/// The vertical pass: every column from `from` to `to` values. It adds whole rows of `stride` values, so that
/// the compiler can do many columns at once.
fn resize_columns(src: Cow<'_, [u8]>, from: usize, stride: usize, to: usize) -> Cow<'_, [u8]> {
    if from == to {
        return src;
    }
    let mut out = Vec::with_capacity(to * stride);
    let mut sums = vec![0; stride];
    for (first, weights) in Taps::new(from, to).iter() {
        sums.fill(HALF);
        for (row, &weight) in src[first * stride..].chunks_exact(stride).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += u32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| round(sum)));
    }
    out.into()
}

/// Weights are never negative, so a sum is not either; their own rounding may lift it over 255.
fn round(sum: u32) -> u8 {
    (sum >> PRECISION_BITS).min(255) as u8
}

/// What each output pixel along one axis is made of: weights for some input pixels, the same number for all so
/// that the processor can foresee the loop.
struct Taps {
    firsts: Vec<usize>,
    weights: Vec<u32>,
    count: usize,
}

impl Taps {
    /// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`.
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let support = scale.max(1.0);
        let center = |i: usize| (i as f64 + 0.5) * scale;
        let reach = |i: usize| {
            let first = (center(i) - support + 0.5).max(0.0) as usize;
            first..((center(i) + support + 0.5) as usize).min(from)
        };
        let count = (0..to).map(|i| reach(i).len()).max().unwrap_or(0);
        let mut taps = Self { firsts: Vec::with_capacity(to), weights: vec![0; to * count], count };
        for (i, weights) in taps.weights.chunks_exact_mut(count).enumerate() {
            let triangle = |x: usize| (1.0 - ((x as f64 - center(i) + 0.5) * (1.0 / support)).abs()).max(0.0);
            let total: f64 = reach(i).map(triangle).sum();
            let first = reach(i).start.min(from - count);
            for x in reach(i) {
                weights[x - first] = (triangle(x) / total * f64::from(1 << PRECISION_BITS) + 0.5) as u32;
            }
            taps.firsts.push(first);
        }
        taps
    }

    /// For each output pixel the first input pixel and the weights from there on.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.firsts.iter().copied().zip(self.weights.chunks_exact(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image() -> impl Strategy<Value = (Vec<u8>, (usize, usize), usize)> {
        (1_usize..40, 1_usize..40, prop_oneof![Just(1_usize), Just(3)]).prop_flat_map(|(h, w, c)| {
            (proptest::collection::vec(any::<u8>(), h * w * c), Just((h, w)), Just(c))
        })
    }

    proptest! {
        #[test]
        fn the_same_size_is_a_copy((src, size, channels) in image()) {
            prop_assert_eq!(resize_bilinear(&src, size, channels, size), src);
        }

        #[test]
        fn a_constant_stays_constant(value: u8, h in 1_usize..40, w in 1_usize..40,
                                     to in (1_usize..60, 1_usize..60)) {
            let out = resize_bilinear(&vec![value; h * w * 3], (h, w), 3, to);
            prop_assert_eq!(out, vec![value; to.0 * to.1 * 3]);
        }

        /// Weights are positive and sum to one, so nothing leaves the input's range.
        #[test]
        fn the_range_never_grows((src, size, channels) in image(), to in (1_usize..60, 1_usize..60)) {
            let out = resize_bilinear(&src, size, channels, to);
            prop_assert_eq!(out.len(), to.0 * to.1 * channels);
            let (low, high) = (*src.iter().min().unwrap(), *src.iter().max().unwrap());
            prop_assert!(out.iter().all(|v| (low..=high).contains(v)));
        }

        /// Channels do not mix: a grey image in three channels is three times the grey result.
        #[test]
        fn channels_are_apart((src, size, channels) in image(), to in (1_usize..60, 1_usize..60)) {
            prop_assume!(channels == 1);
            let thrice: Vec<u8> = src.iter().flat_map(|&v| [v; 3]).collect();
            let one = resize_bilinear(&src, size, 1, to);
            let three = resize_bilinear(&thrice, size, 3, to);
            prop_assert_eq!(three, one.iter().flat_map(|&v| [v; 3]).collect::<Vec<u8>>());
        }
    }

    /// Two pixels to one is their mean, rounded; one axis at a time.
    #[test]
    fn halving_averages() {
        assert_eq!(resize_bilinear(&[10, 21], (1, 2), 1, (1, 1)), [16]);
        assert_eq!(resize_bilinear(&[10, 20], (2, 1), 1, (1, 1)), [15]);
    }
}
