//! The gradient of the weights: for each tap, input and output of a group, the sum over the pixels of their products.

use super::axis::Axis;
use super::direct::{BAND, tiles};
use super::shape::GroupedConv;
use super::slab::{Images, PART, Slabs};
use wellfit_simd::parallel::{Shared, for_each, row_blocks};
use wellfit_simd::vector::{Kernel, Simd, dispatch};
use wellfit_simd::{Buffer, Element};

/// Taps of a window on one axis.
const TAPS: usize = 3;
/// Parts of the batch that have sums of their own, which are added in order.
const PARTS: usize = 8;

/// The gradient `[G, k, k, C_in, C_out]`.
pub(super) fn weights<E: Element>(conv: &GroupedConv, slabs: Slabs, x: &[E], dy: &[E]) -> Buffer {
    let group = &conv.group;
    let parts = group.batch.min(PARTS);
    // `[slabs, vectors, taps down, inputs, taps across, lanes]`.
    let len = slabs.channels * slabs.inputs * TAPS * TAPS;
    let mut partial: Buffer = Buffer::scratch(parts * len);
    let places = Shared::new(&mut partial);
    let x = Images { numbers: x, height: group.height, width: group.width };
    let dy = Images { numbers: dy, height: group.out_height(), width: group.out_width() };
    for_each(parts, |part| {
        // SAFETY: every part has its own sums.
        let sums = unsafe { places.slice(part * len, len) };
        sums.fill(0.0);
        for image in part * group.batch / parts..(part + 1) * group.batch / parts {
            add_image(conv, slabs, (x, dy), image, sums);
        }
    });
    let mut total = Buffer::zeroed(conv.weight_len());
    let vector = len / (slabs.count() * slabs.vectors());
    let vectors = (group.channels_out / slabs.lanes).max(1);
    // The vectors of a group, or the groups of a vector: what they hold lies side by side in both.
    let together = vectors * slabs.lanes / slabs.group;
    row_blocks(&mut total, together * group.weight_len(), 1, |block, total| {
        for number in block * vectors..(block + 1) * vectors {
            let (inputs, outputs) = slabs.of_vector(number);
            let rows = (0..TAPS)
                .flat_map(|y| inputs.clone().flat_map(move |input| (0..TAPS).map(move |x| (y, input, x))));
            for (row, (tap_y, input, tap_x)) in rows.enumerate() {
                let of = input / slabs.group;
                let own = slabs.outputs_of(of, &outputs);
                let first = outputs.start + own.start - of * slabs.group;
                let place = conv.weight(of - block * together, (tap_y, tap_x), input % slabs.group, first);
                let start = number * vector + row * slabs.lanes + own.start;
                for (lane, total) in total[place..][..own.len()].iter_mut().enumerate() {
                    let sum: f64 = partial.chunks_exact(len).map(|part| f64::from(part[start + lane])).sum();
                    *total = sum as f32;
                }
            }
        }
    });
    total
}

/// Add one image's products to the sums.
fn add_image<E: Element>(
    conv: &GroupedConv,
    slabs: Slabs,
    (x, dy): (Images<'_, E>, Images<'_, E>),
    image: usize,
    sums: &mut [f32],
) {
    let (high, wide) = (conv.group.out_height(), conv.group.out_width());
    let (down, across) = (Axis::forward(&conv.group, high), Axis::forward(&conv.group, wide));
    let itself = Axis { taps: vec![0], first: 0, step: 1, ..across.clone() };
    let lines = (BAND / (across.reach(wide) * slabs.channels * across.step)).clamp(1, high);
    for first in (0..high).step_by(lines) {
        let count = lines.min(high - first);
        let start = down.first + (first * down.step) as isize;
        let x = x.padded(slabs.channels, image, (start, down.reach(count)), &across);
        let dy = dy.padded(slabs.channels, image, (first as isize, count), &itself);
        let of_slab = |len: usize| len / slabs.count();
        let both = x.chunks_exact(of_slab(x.len())).zip(dy.chunks_exact(of_slab(dy.len())));
        for ((x, dy), sums) in both.zip(sums.chunks_exact_mut(of_slab(sums.len()))) {
            let band = Band { slabs, columns: across.reach(wide), x, dy, wide, sums };
            band.add(conv.group.stride);
        }
    }
}

/// A band of lines of `dy` `[parts, lines, wide, PART]` and the lines of `x` `[parts, …, columns, PART]` that their windows
/// cover.
struct Band<'a> {
    slabs: Slabs,
    columns: usize,
    x: &'a [f32],
    dy: &'a [f32],
    wide: usize,
    sums: &'a mut [f32],
}

impl Band<'_> {
    /// Add all products. It does not know how numbers are stored, so it is compiled once.
    fn add(self, stride: usize) {
        match stride {
            1 => dispatch(Task::<1>(self)),
            _ => dispatch(Task::<2>(self)),
        }
    }
}

struct Task<'a, const STEP: usize>(Band<'a>);

impl<const STEP: usize> Kernel for Task<'_, STEP> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let Band { slabs, wide, dy, .. } = self.0;
        debug_assert_eq!(S::LANES, slabs.lanes);
        for vector in 0..slabs.vectors() {
            for line in 0..dy.len() / (wide * slabs.width) {
                for (column, side) in tiles(wide) {
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

impl<const STEP: usize> Task<'_, STEP> {
    /// Add the products of `SIDE` pixels of dy side by side.
    ///
    /// # Safety
    /// They must be pixels of the band; the machine must have `S`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const SIDE: usize>(&mut self, vector: usize, line: usize, column: usize) {
        let Band { slabs, columns, x, dy, wide, sums } = &mut self.0;
        let (first, in_part) = (slabs.first_input(vector), slabs.inputs.min(PART));
        let (part_x, part_dy) = (x.len() / slabs.parts(), dy.len() / slabs.parts());
        let output = vector * S::LANES;
        // SAFETY: the lines of x hold all that the windows of the band cover.
        unsafe {
            let place = output / PART * part_dy + (line * *wide + column) * PART + output % PART;
            let mut g = [S::splat(0.0); SIDE];
            for (side, g) in g.iter_mut().enumerate() {
                *g = S::load(dy.as_ptr().add(place + side * PART));
            }
            let mut sums = sums.as_mut_ptr().add(vector * TAPS * slabs.inputs * TAPS * S::LANES);
            for tap in 0..TAPS {
                let start = ((line * STEP + tap) * *columns + column * STEP) * PART;
                for inputs in (first..first + slabs.inputs).step_by(in_part) {
                    let x = x.as_ptr().add(inputs / PART * part_x + start + inputs % PART);
                    for input in 0..in_part {
                        let mut own = [S::splat(0.0); TAPS];
                        for (k, own) in own.iter_mut().enumerate() {
                            *own = S::load(sums.add(k * S::LANES));
                        }
                        let x = x.add(input);
                        for (side, &g) in g.iter().enumerate() {
                            for (k, own) in own.iter_mut().enumerate() {
                                *own = S::multiply_add(S::splat(*x.add((side * STEP + k) * PART)), g, *own);
                            }
                        }
                        for (k, &own) in own.iter().enumerate() {
                            S::store(sums.add(k * S::LANES), own);
                        }
                        sums = sums.add(TAPS * S::LANES);
                    }
                }
            }
        }
    }
}
