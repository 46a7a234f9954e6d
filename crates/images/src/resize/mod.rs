//! Resizing exactly as Pillow does it, hence as torchvision does on Pillow images.
//!
//! Pillow's filters are drawn out by the scale (and never narrower than for one pixel), so that
//! shrinking averages instead of skipping pixels. It works in two passes with weights of 22 fractional bits
//! and rounds to 8 bits after each, so their order shows: rows come first, but since Pillow 13 not where that
//! would be much slower. A network trained with one resize and used with another loses accuracy (Parmar et
//! al. 2022, "On Aliased Resizing"); so this one differs in no bit.

mod interpolation;
mod taps;

use std::borrow::Cow;

use wellfit_simd::transpose::transpose;
use wellfit_simd::vectorized;

pub use interpolation::Interpolation;
use taps::Taps;

/// Fractional bits of a weight: 8 bits of pixel and 2 of headroom leave 22 of 32 (Pillow's `Resample.c`).
const PRECISION_BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Resize `src`, rows of `channels` interleaved bytes, from (height, width) to (height, width).
///
/// The result equals Pillow's `Image.resize((width, height), …)` with that interpolation bit for bit. An axis that keeps its
/// length is not filtered.
///
/// # Panics
/// If `src` is not height · width · channels long, a length is 0, or `channels` neither 1 nor 3.
#[must_use]
pub fn resize(
    src: &[u8],
    from: (usize, usize),
    channels: usize,
    to: (usize, usize),
    interpolation: Interpolation,
) -> Vec<u8> {
    assert_eq!(src.len(), from.0 * from.1 * channels, "an image of {from:?} with {channels} channels");
    assert!(src.len() * to.0 * to.1 > 0, "an image has pixels");
    assert!([1, 3].contains(&channels), "an image has 1 or 3 channels, not {channels}");
    let across = |src| resize_rows(src, from.1, channels, to.1, interpolation);
    let down = |src, width| resize_columns(src, from.0, width * channels, to.0, interpolation);
    let src = Cow::Borrowed(src);
    if columns_first(from, to) { across(down(src, from.1)) } else { down(across(src), to.1) }.into_owned()
}

/// Whether Pillow 13 starts with the columns: where height is lost, and more than twice as much as width.
fn columns_first(from: (usize, usize), to: (usize, usize)) -> bool {
    let lost = |from: usize, to: usize| from as i64 - to as i64;
    let (height, width) = (lost(from.0, to.0), lost(from.1, to.1));
    height > 0 && height > 2 * width
}

/// Rows or values that are filtered together, side by side in vector registers.
const LANES: usize = 16;

/// The horizontal pass: every row from `from` to `to` pixels. Bands of rows are transposed, so that one weight
/// serves a whole vector; then it is the vertical pass.
fn resize_rows(
    src: Cow<'_, [u8]>,
    from: usize,
    channels: usize,
    to: usize,
    interpolation: Interpolation,
) -> Cow<'_, [u8]> {
    if from == to {
        return src;
    }
    let taps = Taps::new(from, to, interpolation);
    let (width, new_width) = (from * channels, to * channels);
    let height = src.len() / width;
    // Whole bands are written; what the last one has too much is cut off.
    let mut out = vec![0; height.next_multiple_of(LANES) * new_width];
    let (mut columns, mut new_columns) = (vec![[0; LANES]; width], vec![[0; LANES]; new_width]);
    for (rows, out) in src.chunks(LANES * width).zip(out.chunks_exact_mut(LANES * new_width)) {
        rows_to_columns(rows, &mut columns);
        filter_columns(&columns, channels, &taps, &mut new_columns);
        columns_to_rows(&new_columns, out);
    }
    out.truncate(height * new_width);
    out.into()
}

vectorized! {
    /// Up to 16 rows, as long as there are columns, side by side; the last one stands in for those missing.
    fn rows_to_columns(rows: &[u8], columns: &mut [[u8; LANES]]) {
        let width = columns.len();
        let last = rows.len() / width - 1;
        let rows: [&[u8]; LANES] = std::array::from_fn(|y| &rows[y.min(last) * width..][..width]);
        let (blocks, rest) = columns.as_chunks_mut::<LANES>();
        let parts = rows.map(|row| &row.as_chunks::<LANES>().0[..blocks.len()]);
        for (i, block) in blocks.iter_mut().enumerate() {
            let mut lines = [[0; LANES]; LANES];
            for (line, part) in lines.iter_mut().zip(&parts) {
                *line = part[i];
            }
            *block = transpose(lines);
        }
        for (x, column) in (width - rest.len()..).zip(rest) {
            for (value, row) in column.iter_mut().zip(&rows) {
                *value = row[x];
            }
        }
    }
}

vectorized! {
    /// Back to 16 rows.
    fn columns_to_rows(columns: &[[u8; LANES]], rows: &mut [u8]) {
        let width = columns.len();
        let (blocks, rest) = columns.as_chunks::<LANES>();
        for (i, block) in blocks.iter().enumerate() {
            for (row, line) in rows.chunks_exact_mut(width).zip(transpose(*block)) {
                row[i * LANES..][..LANES].copy_from_slice(&line);
            }
        }
        for (x, column) in (width - rest.len()..).zip(rest) {
            for (row, value) in rows.chunks_exact_mut(width).zip(column) {
                row[x] = *value;
            }
        }
    }
}

vectorized! {
    fn filter_columns(columns: &[[u8; LANES]], channels: usize, taps: &Taps, out: &mut [[u8; LANES]]) {
        match channels {
            1 => filter_pixels::<1>(columns, taps, out),
            _ => filter_pixels::<3>(columns, taps, out),
        }
    }
}

/// A pixel is a column for each of its channels.
#[inline(always)]
fn filter_pixels<const C: usize>(columns: &[[u8; LANES]], taps: &Taps, out: &mut [[u8; LANES]]) {
    let columns = columns.as_chunks::<C>().0;
    for ((first, weights), out) in taps.iter().zip(out.as_chunks_mut::<C>().0) {
        let mut sums = [[HALF; LANES]; C];
        for (pixel, &weight) in columns[first..].iter().zip(weights) {
            for (sums, column) in sums.iter_mut().zip(pixel) {
                add(sums, column, weight);
            }
        }
        for (out, sums) in out.iter_mut().zip(&sums) {
            *out = sums.map(round);
        }
    }
}

/// The vertical pass: every column from `from` to `to` values. It adds whole rows of `stride` values, some columns
/// at a time.
fn resize_columns(
    src: Cow<'_, [u8]>,
    from: usize,
    stride: usize,
    to: usize,
    interpolation: Interpolation,
) -> Cow<'_, [u8]> {
    if from == to {
        return src;
    }
    let mut out = vec![0; to * stride];
    for ((first, weights), out) in Taps::new(from, to, interpolation).iter().zip(out.chunks_exact_mut(stride))
    {
        filter_rows(&src[first * stride..], stride, weights, out);
    }
    out.into()
}

vectorized! {
    fn filter_rows(rows: &[u8], stride: usize, weights: &[i32], out: &mut [u8]) {
        let (chunks, tail) = out.as_chunks_mut::<LANES>();
        let end = chunks.len() * LANES;
        for (x, out) in (0..).step_by(LANES).zip(chunks) {
            let mut sums = [HALF; LANES];
            for (row, &weight) in rows.chunks_exact(stride).zip(weights) {
                if let Some(values) = row[x..].first_chunk() {
                    add(&mut sums, values, weight);
                }
            }
            *out = sums.map(round);
        }
        for (x, out) in (end..).zip(tail) {
            let products = rows.chunks_exact(stride).zip(weights).map(|(row, weight)| i32::from(row[x]) * weight);
            *out = round(HALF + products.sum::<i32>());
        }
    }
}

#[inline(always)]
fn add(sums: &mut [i32; LANES], values: &[u8; LANES], weight: i32) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += i32::from(value) * weight;
    }
}

/// A sum leaves the range where weights are negative, or their own rounding lifts it. It fits: the weights' sizes add up
/// to at most 1.3 or so, and 255 · 1.3 · 2²² < 2³¹.
#[inline(always)]
fn round(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
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

    fn kind() -> impl Strategy<Value = Interpolation> {
        prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Bicubic)]
    }

    fn resize_bilinear(src: &[u8], from: (usize, usize), channels: usize, to: (usize, usize)) -> Vec<u8> {
        resize(src, from, channels, to, Interpolation::Bilinear)
    }

    proptest! {
        #[test]
        fn the_same_size_is_a_copy((src, size, channels) in image(), kind in kind()) {
            prop_assert_eq!(resize(&src, size, channels, size, kind), src);
        }

        #[test]
        fn a_constant_stays_constant(value: u8, h in 1_usize..40, w in 1_usize..40,
                                     to in (1_usize..60, 1_usize..60), kind in kind()) {
            let out = resize(&vec![value; h * w * 3], (h, w), 3, to, kind);
            prop_assert_eq!(out, vec![value; to.0 * to.1 * 3]);
        }

        /// The triangle's weights are positive and sum to one, so nothing leaves the input's range.
        #[test]
        fn the_range_never_grows((src, size, channels) in image(), to in (1_usize..60, 1_usize..60)) {
            let out = resize_bilinear(&src, size, channels, to);
            prop_assert_eq!(out.len(), to.0 * to.1 * channels);
            let (low, high) = (*src.iter().min().unwrap(), *src.iter().max().unwrap());
            prop_assert!(out.iter().all(|v| (low..=high).contains(v)));
        }

        /// Channels do not mix: a grey image in three channels is three times the grey result.
        #[test]
        fn channels_are_apart((src, size, channels) in image(), to in (1_usize..60, 1_usize..60),
                              kind in kind()) {
            prop_assume!(channels == 1);
            let thrice: Vec<u8> = src.iter().flat_map(|&v| [v; 3]).collect();
            let one = resize(&src, size, 1, to, kind);
            let three = resize(&thrice, size, 3, to, kind);
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
