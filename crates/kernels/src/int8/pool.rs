//! Max pooling of codes.

use super::codes::Codes;
use crate::pool::MaxPool;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::vectorized;

/// The largest code of each window, `[N, H', W', C]` from `[N, H, W, C]`; padding counts as −∞. A larger code is a
/// larger number, so the output has the input's scale and zero.
///
/// # Panics
/// When `x` has another length than the shape.
#[must_use]
pub fn max_pool(shape: &MaxPool, x: &[u8]) -> Codes {
    let per_image = shape.height * shape.width * shape.channels;
    assert_eq!(x.len(), shape.batch * per_image, "x of {shape:?}");
    let line = shape.out_width() * shape.channels;
    let mut y = Codes::scratch(shape.batch * shape.out_height() * line);
    row_blocks(&mut y, line, 1, |row, y| {
        let (image, out_y) = (row / shape.out_height(), row % shape.out_height());
        let x = &x[image * per_image..][..per_image];
        y.fill(0);
        for tap in 0..shape.kernel {
            let line = (out_y * shape.stride + tap).wrapping_sub(shape.padding);
            if line < shape.height {
                largest_of_line(shape, &x[line * shape.width * shape.channels..], y);
            }
        }
    });
    y
}

vectorized! {
    /// The larger of each output and its taps in one line of the input.
    fn largest_of_line(shape: &MaxPool, line: &[u8], y: &mut [u8]) {
        let channels = shape.channels;
        for (out_x, y) in y.chunks_exact_mut(channels).enumerate() {
            for tap in 0..shape.kernel {
                let x = (out_x * shape.stride + tap).wrapping_sub(shape.padding);
                if x < shape.width {
                    let pixel = &line[x * channels..][..channels];
                    y.iter_mut().zip(pixel).for_each(|(y, &x)| *y = (*y).max(x));
                }
            }
        }
    }
}
