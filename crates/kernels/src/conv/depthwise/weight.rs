//! The gradient of the weights.

use super::line::{GROUP, SIDE, inside, taps_inside};
use super::shape::{DepthwiseConv, FEWEST_CHANNELS};
use crate::both::for_both;
use wellfit_simd::parallel::{Shared, for_each, row_blocks};
use wellfit_simd::vector::{InstructionSet, Kernel, Simd, dispatch};
use wellfit_simd::{Buffer, Element};

/// The gradient `[k, k, C]`: each band of lines of `dy` has sums of its own, which are added in order, in f64.
///
/// A vector of channels has its sums in a place of its own, also the last one, which overlaps the one before it.
pub(super) fn gradient<E: Element>(conv: &DepthwiseConv, x: &[E], dy: &[E]) -> Buffer {
    let (high, channels, kernel) = (conv.out_height(), conv.channels, conv.kernel);
    let line = conv.out_width() * channels;
    let (lines, bands) = (conv.band(conv.out_width()), conv.bands(high, conv.out_width()));
    let width = channels.next_multiple_of(FEWEST_CHANNELS);
    let len = kernel * kernel * width;
    let mut partial: Buffer = Buffer::scratch(conv.batch * bands * len);
    let places = Shared::new(&mut partial);
    for_each(conv.batch * bands, |band| {
        // SAFETY: every band has its own sums.
        let sums = unsafe { places.slice(band * len, len) };
        sums.fill(0.0);
        let (image, first) = (band / bands, band % bands * lines);
        let x = &x[image * conv.height * conv.width * channels..];
        for at in first..high.min(first + lines) {
            let dy = &dy[(image * high + at) * line..][..line];
            add_line((&Products { conv, x, dy, line: at, width }, sums));
        }
    });
    let mut total = Buffer::scratch(conv.weight_len());
    let lanes = InstructionSet::current().lanes();
    row_blocks(&mut total, channels, 1, |tap, total| {
        let mut sums = vec![0.0_f64; width];
        for part in partial.chunks_exact(len) {
            let row = &part[tap * width..][..width];
            sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let whole = channels / lanes * lanes;
        total[..whole].iter_mut().zip(&sums).for_each(|(total, &sum)| *total = sum as f32);
        // The last vector ends with the last channel.
        let rest = channels - whole;
        let last = &sums[whole + (lanes - rest) % lanes..];
        total[whole..].iter_mut().zip(last).for_each(|(total, &sum)| *total = sum as f32);
    });
    total
}

/// A line of `dy` `[W', C]` with its image `x`.
pub(crate) struct Products<'a, E> {
    conv: &'a DepthwiseConv,
    x: &'a [E],
    dy: &'a [E],
    /// The line's number.
    line: usize,
    /// Sums of a tap.
    width: usize,
}

/// The products of a line, and the sums `[k, k, width]` that they are added to, for every tap.
type LineSums<'a, E> = (&'a Products<'a, E>, &'a mut [f32]);

for_both! { add_line(task: LineSums) add_to::<E>(task) }

fn add_to<E: Element>((products, sums): LineSums<'_, E>) {
    match (products.conv.kernel, products.conv.stride) {
        (3, 1) => dispatch(Task::<E, 3, 1> { products, sums }),
        (5, 1) => dispatch(Task::<E, 5, 1> { products, sums }),
        (3, 2) => dispatch(Task::<E, 3, 2> { products, sums }),
        (5, 2) => dispatch(Task::<E, 5, 2> { products, sums }),
        _ => unreachable!("no kernel for {:?}", products.conv),
    }
}

/// Taps `K` and `STEP` are known to the compiler.
struct Task<'a, E, const K: usize, const STEP: usize> {
    products: &'a Products<'a, E>,
    sums: &'a mut [f32],
}

impl<E: Element, const K: usize, const STEP: usize> Kernel for Task<'_, E, K, STEP> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let conv = self.products.conv;
        let count = conv.out_width();
        let (low, high) = inside((-(conv.padding as isize), STEP, K), conv.width, count);
        for from in (0..conv.channels).step_by(GROUP) {
            let to = conv.channels.min(from + GROUP);
            let mut i = 0;
            while i < count {
                // SAFETY: `S` is the machine's; outputs in `low..high` have all their taps.
                unsafe {
                    if i >= low && i + SIDE <= high {
                        self.tile::<S>(i, from, to);
                        i += SIDE;
                    } else {
                        self.pixel::<S>(i, from, to);
                        i += 1;
                    }
                }
            }
        }
    }
}

impl<E: Element, const K: usize, const STEP: usize> Task<'_, E, K, STEP> {
    /// The line of x that a tap reads, if it is inside the image.
    #[inline(always)]
    fn input(&self, tap: usize) -> Option<*const E> {
        let conv = self.products.conv;
        let line = (self.products.line * STEP + tap).wrapping_sub(conv.padding);
        let start = line.wrapping_mul(conv.width * conv.channels);
        (line < conv.height).then(|| self.products.x[start..][..conv.width * conv.channels].as_ptr())
    }

    /// The outputs from i on, channels `from..to`.
    ///
    /// # Safety
    /// All taps across of `SIDE` outputs must be inside; the machine must have `S`.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&mut self, i: usize, from: usize, to: usize) {
        let (conv, width) = (self.products.conv, self.products.width);
        let channels = conv.channels;
        let column = i * STEP - conv.padding;
        let mut slot = from;
        while slot < to {
            let c = slot.min(channels - S::LANES);
            // SAFETY: a vector from c on lies within the pixel, one from `slot` on within the sums.
            unsafe {
                let dy = self.products.dy.as_ptr().add(i * channels + c);
                let mut g = [S::splat(0.0); SIDE];
                for (side, g) in g.iter_mut().enumerate() {
                    *g = E::load::<S>(dy.add(side * channels));
                }
                for tap in 0..K {
                    let Some(x) = self.input(tap) else { continue };
                    let x = x.add(column * channels + c);
                    let place = self.sums.as_mut_ptr().add(tap * K * width + slot);
                    let mut sums = [S::splat(0.0); K];
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum = S::load(place.add(k * width));
                    }
                    for column in 0..(SIDE - 1) * STEP + K {
                        let x = E::load::<S>(x.add(column * channels));
                        for (side, &g) in g.iter().enumerate() {
                            if column >= side * STEP && column - side * STEP < K {
                                let k = column - side * STEP;
                                sums[k] = S::multiply_add(x, g, sums[k]);
                            }
                        }
                    }
                    for (k, &sum) in sums.iter().enumerate() {
                        S::store(place.add(k * width), sum);
                    }
                }
            }
            slot += S::LANES;
        }
    }

    /// One output, whose window may reach beyond the line.
    ///
    /// # Safety
    /// The machine must have `S`.
    #[inline(always)]
    unsafe fn pixel<S: Simd>(&mut self, i: usize, from: usize, to: usize) {
        let (conv, width) = (self.products.conv, self.products.width);
        let channels = conv.channels;
        let column = (i * STEP) as isize - conv.padding as isize;
        let (low, high) = taps_inside(column, K, conv.width);
        let mut slot = from;
        while slot < to {
            let c = slot.min(channels - S::LANES);
            // SAFETY: as in `tile`; only taps inside are read.
            unsafe {
                let g = E::load::<S>(self.products.dy.as_ptr().add(i * channels + c));
                for tap in 0..K {
                    let Some(x) = self.input(tap) else { continue };
                    let place = self.sums.as_mut_ptr().add(tap * K * width + slot);
                    for k in low..high {
                        let x = E::load::<S>(x.add((column + k as isize).unsigned_abs() * channels + c));
                        S::store(place.add(k * width), S::multiply_add(x, g, S::load(place.add(k * width))));
                    }
                }
            }
            slot += S::LANES;
        }
    }
}
