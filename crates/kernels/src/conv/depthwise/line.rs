//! One line of outputs, from the lines of inputs that its windows cover.

use crate::both::for_both;
use crate::epilogue::Epilogue;
use wellfit_simd::Element;
use wellfit_simd::vector::{Kernel, Simd, dispatch};

/// Channels that are finished for a whole line before the next ones begin: their weights stay in the first-level cache.
pub(super) const GROUP: usize = 64;
/// Outputs side by side whose sums are in registers.
pub(super) const SIDE: usize = 4;

/// A line of inputs `[width, C]` with the weights that belong to it, `[taps, C]`.
#[derive(Clone, Copy)]
pub(super) struct Row<'a, E> {
    pub input: &'a [E],
    pub weights: &'a [f32],
}

/// A line of outputs: output i is, for each channel, the sum over the rows and the taps k of
/// input column `first + step·i + k` times weight k; columns outside the line are zero.
pub(crate) struct Line<'a, E: Element> {
    pub channels: usize,
    /// Columns of the inputs.
    pub width: usize,
    pub taps: usize,
    /// Input columns from an output to the next.
    pub step: usize,
    pub first: isize,
    /// How many outputs.
    pub count: usize,
    /// Pixels from an output to the next, where they are written.
    pub apart: usize,
    pub rows: &'a [Row<'a, E>],
    /// Without a residual.
    pub epilogue: Epilogue<'a, E>,
}

/// The outputs whose windows lie inside the line.
pub(super) fn inside(
    (first, step, taps): (isize, usize, usize),
    width: usize,
    count: usize,
) -> (usize, usize) {
    let low = first.min(0).unsigned_abs().div_ceil(step).min(count);
    let room = width as isize - taps as isize - first;
    let high = if room < 0 { 0 } else { room.unsigned_abs() / step + 1 };
    (low, high.clamp(low, count))
}

/// The taps of output i that lie inside the line, and the input column of tap 0.
#[inline(always)]
pub(super) fn taps_inside(column: isize, taps: usize, width: usize) -> (usize, usize) {
    let low = column.min(0).unsigned_abs().min(taps);
    let high = (width as isize - column).clamp(low as isize, taps as isize).unsigned_abs();
    (low, high)
}

impl<E: Element> Line<'_, E> {
    /// Compute the line; output i goes to pixel `apart`·i of `out`.
    pub fn write(self, out: &mut [E]) {
        assert!(out.len() >= ((self.count - 1) * self.apart + 1) * self.channels, "room for a line");
        let long = |row: &Row<'_, E>| {
            row.input.len() >= self.width * self.channels && row.weights.len() >= self.taps * self.channels
        };
        assert!(self.rows.iter().all(long), "whole lines of inputs and weights");
        compute((self, out));
    }
}

/// A line, and where it is written.
type LineOut<'a, E> = (Line<'a, E>, &'a mut [E]);

for_both! { compute(task: LineOut) write_line::<E>(task) }

fn write_line<E: Element>((line, out): LineOut<'_, E>) {
    match (line.taps, line.step) {
        (1, 1) => dispatch(Task::<E, 1, 1> { line, out }),
        (2, 1) => dispatch(Task::<E, 2, 1> { line, out }),
        (3, 1) => dispatch(Task::<E, 3, 1> { line, out }),
        (5, 1) => dispatch(Task::<E, 5, 1> { line, out }),
        (3, 2) => dispatch(Task::<E, 3, 2> { line, out }),
        (5, 2) => dispatch(Task::<E, 5, 2> { line, out }),
        (taps, step) => unreachable!("{taps} taps at stride {step} have no kernel"),
    }
}

/// A line whose taps `K` and `STEP` the compiler knows.
struct Task<'a, 'b, E: Element, const K: usize, const STEP: usize> {
    line: Line<'a, E>,
    out: &'b mut [E],
}

impl<E: Element, const K: usize, const STEP: usize> Kernel for Task<'_, '_, E, K, STEP> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let line = &self.line;
        let (low, high) = inside((line.first, STEP, K), line.width, line.count);
        let channels = line.channels;
        for from in (0..channels).step_by(GROUP) {
            let to = channels.min(from + GROUP);
            let mut i = 0;
            while i < self.line.count {
                // SAFETY: `S` is the machine's, as the caller promised; outputs in `low..high` have all their taps.
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

impl<E: Element, const K: usize, const STEP: usize> Task<'_, '_, E, K, STEP> {
    /// The outputs from i on whose windows are inside, channels `from..to`.
    ///
    /// # Safety
    /// All taps of `SIDE` outputs must be inside; the machine must have `S`.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&mut self, i: usize, from: usize, to: usize) {
        let (line, out) = (&self.line, self.out.as_mut_ptr());
        let start = (line.first + (i * STEP) as isize).unsigned_abs() * line.channels;
        let mut c = from.min(line.channels - S::LANES);
        loop {
            // SAFETY: `write` has checked the lengths; a vector from `c` on ends with the pixel at the latest.
            unsafe {
                let mut sums = [S::splat(0.0); SIDE];
                for row in line.rows {
                    let (input, weights) = (row.input.as_ptr().add(start + c), row.weights.as_ptr().add(c));
                    let mut w = [S::splat(0.0); K];
                    for (k, w) in w.iter_mut().enumerate() {
                        *w = S::load(weights.add(k * line.channels));
                    }
                    for column in 0..(SIDE - 1) * STEP + K {
                        let x = E::load::<S>(input.add(column * line.channels));
                        for (side, sum) in sums.iter_mut().enumerate() {
                            if column >= side * STEP && column - side * STEP < K {
                                *sum = S::multiply_add(x, w[column - side * STEP], *sum);
                            }
                        }
                    }
                }
                for (side, &sum) in sums.iter().enumerate() {
                    line.finish::<S>(out, i + side, c, sum);
                }
            }
            if c + S::LANES >= to {
                break;
            }
            c = (c + S::LANES).min(line.channels - S::LANES);
        }
    }

    /// One output, whose window may reach beyond the line.
    ///
    /// # Safety
    /// The machine must have `S`.
    #[inline(always)]
    unsafe fn pixel<S: Simd>(&mut self, i: usize, from: usize, to: usize) {
        let (line, out) = (&self.line, self.out.as_mut_ptr());
        let column = line.first + (i * STEP) as isize;
        let (low, high) = taps_inside(column, K, line.width);
        let mut c = from.min(line.channels - S::LANES);
        loop {
            // SAFETY: as in `tile`; only taps inside are read.
            unsafe {
                let mut sum = S::splat(0.0);
                for row in line.rows {
                    for k in low..high {
                        let place = (column + k as isize).unsigned_abs() * line.channels + c;
                        let x = E::load::<S>(row.input.as_ptr().add(place));
                        sum =
                            S::multiply_add(x, S::load(row.weights.as_ptr().add(k * line.channels + c)), sum);
                    }
                }
                line.finish::<S>(out, i, c, sum);
            }
            if c + S::LANES >= to {
                break;
            }
            c = (c + S::LANES).min(line.channels - S::LANES);
        }
    }
}

impl<E: Element> Line<'_, E> {
    /// Scale, bias and ReLU, and the output in its place.
    ///
    /// # Safety
    /// Output i of `out` and `LANES` channels from `c` on must exist; the machine must have `S`.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, out: *mut E, i: usize, c: usize, sum: S::Vector) {
        let epilogue = &self.epilogue;
        // SAFETY: promised by the caller; scale and bias have a value for each channel.
        unsafe {
            let mut sum = sum;
            if let Some(scale) = epilogue.scale {
                sum = S::multiply(sum, S::load(scale.as_ptr().add(c)));
            }
            if let Some(bias) = epilogue.bias {
                sum = S::add(sum, S::load(bias.as_ptr().add(c)));
            }
            if epilogue.relu {
                sum = S::relu(sum);
            }
            let place = i * self.apart * self.channels + c;
            E::store::<S>(out.add(place), sum);
        }
    }
}
