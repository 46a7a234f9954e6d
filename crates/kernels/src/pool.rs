//! Max pooling and global average pooling of `[N, H, W, C]`.

use wellfit_simd::Buffer;
use wellfit_simd::parallel::{Shared, row_blocks};
use wellfit_simd::vectorized;

/// The shape of a max pooling: square window, zero-padded with −∞ (as `torch.nn.MaxPool2d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    /// Images in the batch.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Window size; at most 15, since the place of a maximum is kept in a byte.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Padding.
    pub padding: usize,
}

impl MaxPool {
    /// Output height.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output width.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// The maxima `[N, H', W', C]`, and for each the tap it came from: the first of equal ones, a NaN
    /// before any number, as torch.
    ///
    /// # Panics
    /// When `x` has another length than the shape.
    #[must_use]
    pub fn forward(&self, x: &[f32]) -> (Buffer, Vec<u8>) {
        let per_image = self.height * self.width * self.channels;
        assert_eq!(x.len(), self.batch * per_image, "x of {self:?}");
        let per_output = self.out_height() * self.out_width() * self.channels;
        let mut y = Buffer::scratch(self.batch * per_output);
        let mut taps = vec![0_u8; y.len()];
        let out = Shared::new(&mut y);
        row_blocks(&mut taps, per_output, 1, |image, taps| {
            // SAFETY: every image has its own part of y.
            let y = unsafe { out.slice(image * per_output, per_output) };
            self.forward_image(&x[image * per_image..][..per_image], y, taps);
        });
        (y, taps)
    }

    fn forward_image(&self, x: &[f32], y: &mut [f32], taps: &mut [u8]) {
        let outputs = y.chunks_exact_mut(self.channels).zip(taps.chunks_exact_mut(self.channels));
        let mut window = Vec::with_capacity(self.kernel * self.kernel);
        for (out, (y, taps)) in outputs.enumerate() {
            window.clear();
            self.each_tap(out, |tap, pixel| window.push((tap, &x[pixel * self.channels..][..self.channels])));
            largest(&window, y, taps);
        }
    }

    /// The gradient of the input from `dy` and the taps of the forward pass.
    #[must_use]
    pub fn backward(&self, dy: &[f32], taps: &[u8]) -> Buffer {
        let per_image = self.height * self.width * self.channels;
        let per_output = self.out_height() * self.out_width() * self.channels;
        let mut dx = Buffer::scratch(self.batch * per_image);
        row_blocks(&mut dx, per_image, 1, |image, dx| {
            dx.fill(0.0);
            let (dy, taps) = (&dy[image * per_output..], &taps[image * per_output..]);
            let outputs = dy.chunks_exact(self.channels).zip(taps.chunks_exact(self.channels));
            for (out, (dy, taps)) in outputs.enumerate().take(self.out_height() * self.out_width()) {
                self.each_tap(out, |tap, pixel| {
                    add_where(dy, taps, tap, &mut dx[pixel * self.channels..][..self.channels]);
                });
            }
        });
        dx
    }

    /// Call `visit(tap, input pixel)` for every tap of an output pixel that lies inside the image, in order.
    fn each_tap(&self, out: usize, mut visit: impl FnMut(u8, usize)) {
        let (out_y, out_x) = (out / self.out_width(), out % self.out_width());
        for tap in 0..self.kernel * self.kernel {
            let y = (out_y * self.stride + tap / self.kernel).wrapping_sub(self.padding);
            let x = (out_x * self.stride + tap % self.kernel).wrapping_sub(self.padding);
            if y < self.height && x < self.width {
                visit(tap as u8, y * self.width + x);
            }
        }
    }
}

/// Channels whose maxima are found in registers.
const GROUP: usize = 16;

vectorized! {
    /// The largest value of each channel over a window's pixels, and the tap it came from.
    fn largest(window: &[(u8, &[f32])], y: &mut [f32], taps: &mut [u8]) {
        let (groups, rest) = y.as_chunks_mut::<GROUP>();
        let (tap_groups, tap_rest) = taps.as_chunks_mut::<GROUP>();
        for (group, (y, taps)) in groups.iter_mut().zip(tap_groups).enumerate() {
            // As wide as a float, so that one mask serves both.
            let (mut best, mut from) = ([f32::NEG_INFINITY; GROUP], [0_u32; GROUP]);
            for &(tap, x) in window {
                let Some(x) = x[group * GROUP..].first_chunk::<GROUP>() else { break };
                for lane in 0..GROUP {
                    let larger = is_larger(x[lane], best[lane]);
                    best[lane] = if larger { x[lane] } else { best[lane] };
                    from[lane] = if larger { u32::from(tap) } else { from[lane] };
                }
            }
            *y = best;
            for lane in 0..GROUP {
                taps[lane] = from[lane] as u8;
            }
        }
        let done = groups.len() * GROUP;
        for (lane, (y, place)) in rest.iter_mut().zip(tap_rest).enumerate() {
            (*y, *place) = (f32::NEG_INFINITY, 0);
            for &(tap, x) in window {
                if is_larger(x[done + lane], *y) {
                    (*y, *place) = (x[done + lane], tap);
                }
            }
        }
    }
}

/// Of equal values the first stays; a NaN counts as larger than any.
#[inline(always)]
fn is_larger(x: f32, best: f32) -> bool {
    x > best || x.is_nan()
}

vectorized! {
    fn add_where(dy: &[f32], taps: &[u8], tap: u8, dx: &mut [f32]) {
        for ((&dy, &place), dx) in dy.iter().zip(taps).zip(dx) {
            *dx += if place == tap { dy } else { 0.0 };
        }
    }
}

/// The mean over the pixels of each image: `[N, pixels, C]` to `[N, C]`.
#[must_use]
pub fn global_average(x: &[f32], pixels: usize, channels: usize) -> Buffer {
    let images = x.len() / (pixels * channels);
    let mut y = Buffer::zeroed(images * channels);
    row_blocks(&mut y, channels, 1, |image, y| {
        crate::elementwise::channel_sums(&x[image * pixels * channels..][..pixels * channels], y);
        y.iter_mut().for_each(|y| *y /= pixels as f32);
    });
    y
}

/// The gradient of [`global_average`]'s input: each pixel gets `dy / pixels`.
#[must_use]
pub fn global_average_backward(dy: &[f32], pixels: usize, channels: usize) -> Buffer {
    let mut dx = Buffer::scratch(dy.len() * pixels);
    row_blocks(&mut dx, pixels * channels, 1, |image, dx| {
        let dy = &dy[image * channels..][..channels];
        for pixel in dx.chunks_exact_mut(channels) {
            pixel.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx = dy / pixels as f32);
        }
    });
    dx
}
