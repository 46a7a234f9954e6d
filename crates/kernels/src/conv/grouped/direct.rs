//! Outputs from inputs, and gradients of inputs from those of outputs: both are sums over the taps of a window.
//!
//! A task makes a band of lines of one image. Its inputs are copied first, slab by slab and with zeros around them: so all
//! windows are alike, and pixels lie side by side however many channels there are.

use super::axis::Axis;
use super::shape::GroupedConv;
use super::slab::{Images, PART, Slabs};
use crate::conv::shape::Destination;
use wellfit_simd::parallel::{Shared, for_each, row_blocks};
use wellfit_simd::vector::{Kernel, Simd, dispatch};
use wellfit_simd::{Buffer, Element};

/// Numbers of a band of inputs: with its outputs it stays in a second-level cache.
pub(super) const BAND: usize = 1 << 16;

pub(super) fn forward<E: Element>(conv: &GroupedConv, slabs: Slabs, x: &[E], w: &[f32]) -> Buffer<E> {
    let (high, wide) = (conv.group.out_height(), conv.group.out_width());
    let mut y = Buffer::scratch(conv.output_len());
    let from = Images { numbers: x, height: conv.group.height, width: conv.group.width };
    let (down, across) = (Axis::forward(&conv.group, high), Axis::forward(&conv.group, wide));
    let w = E::rounded(w);
    let weights = pack(slabs, &down, &across, &w, |group, tap, input| (conv.weight(group, tap, input, 0), 1));
    let pass = Pass { slabs, down, across, weights };
    pass.run(conv.group.batch, from, (high, wide), &mut Destination::new(&mut y));
    y
}

pub(super) fn data_gradient<E: Element>(
    conv: &GroupedConv,
    slabs: Slabs,
    dy: &[E],
    w: &[f32],
    mut to: Destination<'_, E>,
) {
    let (height, width) = (conv.group.height, conv.group.width);
    let from = Images { numbers: dy, height: conv.group.out_height(), width: conv.group.out_width() };
    let w = E::rounded(w);
    for down in Axis::backward(&conv.group, height) {
        for across in Axis::backward(&conv.group, width) {
            // The sum goes over the convolution's outputs here.
            let weights = pack(slabs, &down, &across, &w, |group, tap, output| {
                (conv.weight(group, tap, 0, output), conv.group.channels_out)
            });
            let pass = Pass { slabs, down: down.clone(), across, weights };
            pass.run(conv.group.batch, from, (height, width), &mut to);
        }
    }
}

/// The weights in the order in which they are read: `[slabs, vectors, taps down, inputs, taps across, lanes]`; zero
/// between groups. `find` tells, by group, tap and input within the group, the place of the first output's weight and
/// the distance to the next.
fn pack(
    slabs: Slabs,
    down: &Axis,
    across: &Axis,
    w: &[f32],
    find: impl Fn(usize, (usize, usize), usize) -> (usize, usize) + Sync + Send,
) -> Buffer {
    let vector = down.taps.len() * slabs.inputs * across.taps.len() * slabs.lanes;
    let mut packed = Buffer::scratch(slabs.count() * slabs.vectors() * vector);
    row_blocks(&mut packed, vector, 1, |number, packed| {
        let (inputs, outputs) = slabs.of_vector(number);
        let mut vectors = packed.chunks_exact_mut(slabs.lanes);
        for &tap_y in &down.taps {
            for input in inputs.clone() {
                let group = input / slabs.group;
                let own = slabs.outputs_of(group, &outputs);
                for (&tap_x, vector) in across.taps.iter().zip(&mut vectors) {
                    let (first, apart) = find(group, (tap_y, tap_x), input % slabs.group);
                    let skipped = outputs.start + own.start - group * slabs.group;
                    let weights = w[first + skipped * apart..].iter().step_by(apart);
                    vector.fill(0.0);
                    vector[own.clone()].iter_mut().zip(weights).for_each(|(to, &w)| *to = w);
                }
            }
        }
    });
    packed
}

/// What one pass does, for all images.
struct Pass {
    slabs: Slabs,
    down: Axis,
    across: Axis,
    weights: Buffer,
}

impl Pass {
    /// Write the outputs, images of `height` × `width`, to their [`Destination`].
    fn run<E: Element>(
        &self,
        batch: usize,
        from: Images<'_, E>,
        (height, width): (usize, usize),
        to: &mut Destination<'_, E>,
    ) {
        let Self { slabs, down, across, .. } = self;
        let channels = slabs.channels;
        let lines = (BAND / (across.reach(across.count) * channels * down.step)).clamp(1, down.count);
        let bands = down.count.div_ceil(lines);
        let (accumulate, passed) = (to.accumulate, to.passed);
        let places = Shared::new(to.dx);
        for_each(batch * bands, |task| {
            let (image, first) = (task / bands, task % bands * lines);
            let count = lines.min(down.count - first);
            let start = down.first + (first * down.step) as isize;
            let padded = from.padded(channels, image, (start, down.reach(count)), across);
            let made = self.band(&padded, count);
            let pixels = made.chunks_exact(channels).enumerate();
            for (number, made) in pixels {
                let (line, column) = (first + number / across.count, number % across.count);
                let (line, column) = (down.offset + line * down.apart, across.offset + column * across.apart);
                let place = ((image * height + line) * width + column) * channels;
                // SAFETY: a pixel belongs to one band of one pass.
                let dx = unsafe { places.slice(place, channels) };
                write(dx, made, accumulate, passed.map(|passed| &passed[place..][..channels]));
            }
        });
    }

    /// The outputs of a band of `lines` lines, `[lines, columns, channels]`.
    ///
    /// Neither this nor what it calls knows how numbers are stored, so it is compiled once.
    fn band(&self, padded: &[f32], lines: usize) -> Buffer {
        let Self { slabs, across, weights, .. } = self;
        let mut made = Buffer::scratch(lines * across.count * slabs.channels);
        let (part, own) = (padded.len() / slabs.count(), weights.len() / slabs.count());
        for (slab, (padded, weights)) in padded.chunks_exact(part).zip(weights.chunks_exact(own)).enumerate()
        {
            let band =
                Band { pass: self, padded, weights, lines, made: &mut made, first: slab * slabs.width };
            match (across.taps.len(), across.step) {
                (1, 1) => dispatch(Task::<1, 1>(band)),
                (2, 1) => dispatch(Task::<2, 1>(band)),
                (3, 1) => dispatch(Task::<3, 1>(band)),
                (3, 2) => dispatch(Task::<3, 2>(band)),
                (taps, step) => unreachable!("{taps} taps at stride {step} have no kernel"),
            }
        }
        made
    }
}

/// Put a pixel in its place: added to what is there, where asked; 0 where a ReLU did not let it pass.
fn write<E: Element>(to: &mut [E], made: &[f32], accumulate: bool, passed: Option<&[E]>) {
    if accumulate {
        to.iter_mut().zip(made).for_each(|(to, &made)| *to = E::from_f32(to.to_f32() + made));
    } else {
        to.iter_mut().zip(made).for_each(|(to, &made)| *to = E::from_f32(made));
    }
    if let Some(passed) = passed {
        let stopped = to
            .iter_mut()
            .zip(passed)
            .filter(|(_, passed)| passed.to_f32() <= 0.0 || passed.to_f32().is_nan());
        stopped.for_each(|(to, _)| *to = E::default());
    }
}

/// One slab of a band of lines.
struct Band<'a> {
    pass: &'a Pass,
    /// `[parts, lines, columns, PART]`.
    padded: &'a [f32],
    /// `[vectors, taps down, inputs, taps across, lanes]`.
    weights: &'a [f32],
    lines: usize,
    /// `[lines, columns, channels]`, of which this writes the slab from channel `first` on.
    made: &'a mut [f32],
    first: usize,
}

/// A band whose taps across, `K`, and `STEP` the compiler knows.
struct Task<'a, const K: usize, const STEP: usize>(Band<'a>);

impl<const K: usize, const STEP: usize> Kernel for Task<'_, K, STEP> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let pass = self.0.pass;
        debug_assert_eq!(S::LANES, pass.slabs.lanes);
        for vector in 0..pass.slabs.vectors() {
            for line in 0..self.0.lines {
                for (column, side) in tiles(pass.across.count) {
                    // SAFETY: `S` is the machine's, as the caller promised; the tile ends with the line at the latest.
                    unsafe {
                        match side {
                            8 => self.tile::<S, 8>(vector, line, column),
                            7 => self.tile::<S, 7>(vector, line, column),
                            4 => self.tile::<S, 4>(vector, line, column),
                            2 => self.tile::<S, 2>(vector, line, column),
                            _ => self.tile::<S, 1>(vector, line, column),
                        }
                    }
                }
            }
        }
    }
}

impl<const K: usize, const STEP: usize> Task<'_, K, STEP> {
    /// `SIDE` outputs side by side.
    ///
    /// # Safety
    /// They must be outputs of the band; the machine must have `S`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const SIDE: usize>(&mut self, vector: usize, line: usize, column: usize) {
        let Band { pass, padded, weights, made, first: slab, .. } = &mut self.0;
        let Pass { slabs, down, across, .. } = pass;
        let (downs, columns) = (down.taps.len(), across.reach(across.count) * PART);
        let (first, in_part) = (slabs.first_input(vector), slabs.inputs.min(PART));
        let part = padded.len() / slabs.parts();
        // SAFETY: the padded lines hold all that the windows of outputs of the band cover.
        unsafe {
            let mut weights = weights.as_ptr().add(vector * downs * slabs.inputs * K * S::LANES);
            let mut sums = [S::splat(0.0); SIDE];
            for tap in 0..downs {
                let start = (line * STEP + tap) * columns + column * STEP * PART;
                for inputs in (first..first + slabs.inputs).step_by(in_part) {
                    let x = padded.as_ptr().add(inputs / PART * part + start + inputs % PART);
                    for input in 0..in_part {
                        let mut w = [S::splat(0.0); K];
                        for (k, w) in w.iter_mut().enumerate() {
                            *w = S::load(weights.add(k * S::LANES));
                        }
                        weights = weights.add(K * S::LANES);
                        let x = x.add(input);
                        for (side, sum) in sums.iter_mut().enumerate() {
                            for (k, &w) in w.iter().enumerate() {
                                *sum = S::multiply_add(S::splat(*x.add((side * STEP + k) * PART)), w, *sum);
                            }
                        }
                    }
                }
            }
            let place = (line * across.count + column) * slabs.channels + *slab + vector * S::LANES;
            let made = made.as_mut_ptr().add(place);
            for (side, &sum) in sums.iter().enumerate() {
                S::store(made.add(side * slabs.channels), sum);
            }
        }
    }
}

/// The first column and the number of columns of each tile of a line: enough sums side by side to keep the multipliers
/// busy, and the rest in fewer pieces than columns.
pub(super) fn tiles(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let widest = if count.is_multiple_of(7) && !count.is_multiple_of(8) { 7 } else { 8 };
    let mut column = 0;
    std::iter::from_fn(move || {
        let side = [widest, 4, 2, 1].into_iter().find(|&side| column + side <= count)?;
        column += side;
        Some((column - side, side))
    })
}
