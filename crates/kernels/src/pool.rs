//! Max pooling and global average pooling of `[N, H, W, C]`.

use crate::conv::Destination;
use wellfit_simd::parallel::{Shared, row_blocks};
use wellfit_simd::vectorized;
use wellfit_simd::{Buffer, Element};

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
    pub fn forward<E: Element>(&self, x: &[E]) -> (Buffer<E>, Vec<u8>) {
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

    fn forward_image<E: Element>(&self, x: &[E], y: &mut [E], taps: &mut [u8]) {
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
    pub fn backward<E: Element>(&self, dy: &[E], taps: &[u8]) -> Buffer<E> {
        let per_image = self.height * self.width * self.channels;
        let per_output = self.out_height() * self.out_width() * self.channels;
        let mut dx = Buffer::scratch(self.batch * per_image);
        row_blocks(&mut dx, per_image, 1, |image, dx| {
            dx.fill(E::default());
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
    fn largest<E>(window: &[(u8, &[E])], y: &mut [E], taps: &mut [u8]) {
        let (groups, rest) = y.as_chunks_mut::<GROUP>();
        let (tap_groups, tap_rest) = taps.as_chunks_mut::<GROUP>();
        for (group, (y, taps)) in groups.iter_mut().zip(tap_groups).enumerate() {
            // As wide as a float, so that one mask serves both.
            let (mut best, mut from) = ([f32::NEG_INFINITY; GROUP], [0_u32; GROUP]);
            for &(tap, x) in window {
                let Some(x) = x[group * GROUP..].first_chunk::<GROUP>() else { break };
                let mut values = [0.0; GROUP];
                for lane in 0..GROUP {
                    values[lane] = x[lane].to_f32();
                }
                for lane in 0..GROUP {
                    let larger = is_larger(values[lane], best[lane]);
                    best[lane] = if larger { values[lane] } else { best[lane] };
                    from[lane] = if larger { u32::from(tap) } else { from[lane] };
                }
            }
            for lane in 0..GROUP {
                y[lane] = E::from_f32(best[lane]);
            }
            for lane in 0..GROUP {
                taps[lane] = from[lane] as u8;
            }
        }
        let done = groups.len() * GROUP;
        for (lane, (y, place)) in rest.iter_mut().zip(tap_rest).enumerate() {
            (*y, *place) = (E::from_f32(f32::NEG_INFINITY), 0);
            for &(tap, x) in window {
                if is_larger(x[done + lane].to_f32(), y.to_f32()) {
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
    fn add_where<E>(dy: &[E], taps: &[u8], tap: u8, dx: &mut [E]) {
        for ((&dy, &place), dx) in dy.iter().zip(taps).zip(dx) {
            *dx = E::from_f32(dx.to_f32() + if place == tap { dy.to_f32() } else { 0.0 });
        }
    }
}

/// The mean over the pixels of each image: `[N, pixels, C]` to `[N, C]`.
#[must_use]
pub fn global_average<E: Element>(x: &[E], pixels: usize, channels: usize) -> Buffer<E> {
    let images = x.len() / (pixels * channels);
    let mut y = Buffer::scratch(images * channels);
    row_blocks(&mut y, channels, 1, |image, y| {
        let mut sums = vec![0.0; channels];
        crate::elementwise::channel_sums(&x[image * pixels * channels..][..pixels * channels], &mut sums);
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = E::from_f32(sum / pixels as f32));
    });
    y
}

/// The gradient of [`global_average`]'s input, to its [`Destination`]: each pixel gets `dy / pixels`.
///
/// # Panics
/// When the destination is no image of so many pixels for each row of `dy`.
pub fn global_average_backward<E: Element>(dy: &[E], pixels: usize, channels: usize, to: Destination<'_, E>) {
    let Destination { dx, accumulate, passed } = to;
    assert_eq!(dx.len(), dy.len() * pixels, "dx has the input's shape");
    row_blocks(dx, pixels * channels, 1, |image, dx| {
        let share: Vec<f32> =
            dy[image * channels..][..channels].iter().map(|dy| dy.to_f32() / pixels as f32).collect();
        let passed = passed.map(|passed| &passed[image * pixels * channels..][..pixels * channels]);
        spread(&share, accumulate, passed, dx);
    });
}

vectorized! {
    /// Write `share` to every pixel of an image, or add it to what is there; 0 where `passed` is not positive.
    fn spread<E>(share: &[f32], accumulate: bool, passed: Option<&[E]>, dx: &mut [E]) {
        for (pixel, dx) in dx.chunks_exact_mut(share.len()).enumerate() {
            if accumulate {
                dx.iter_mut().zip(share).for_each(|(dx, &share)| *dx = E::from_f32(dx.to_f32() + share));
            } else {
                dx.iter_mut().zip(share).for_each(|(dx, &share)| *dx = E::from_f32(share));
            }
            if let Some(passed) = passed {
                let passed = &passed[pixel * share.len()..][..share.len()];
                let values = dx.iter_mut().zip(passed);
                values.for_each(|(dx, y)| *dx = if y.to_f32() > 0.0 { *dx } else { E::default() });
            }
        }
    }
}
