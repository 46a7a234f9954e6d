//! Forward, and with turned weights the data gradient.

use super::transform::{input_square, output_square, weights_square};
use super::{POINTS, SIDE, Squares, Tiles, inputs, outputs, point_stride};
use crate::Buffer;
use crate::conv::Conv;
use crate::finish::{Finish, TileMoments};
use crate::gemm::{LINE, sums};
use crate::moments::Partial;
use crate::panels::Panels;
use crate::parallel;
use crate::profile::{Watch, Work};
use crate::simd::{Job, Simd, dispatch, dispatch_on};

/// Floats of a task's two matrices at all points: the second-level cache and some of the third.
const BUDGET: usize = 1 << 17;
/// Fewer tiles would not pay for walking through the weights, more would leave cores idle.
const TILES: std::ops::RangeInclusive<usize> = 32..=84;

/// Tiles in a task; depends on the shape only.
fn tiles_in_task(conv: &Conv, tiles: usize) -> usize {
    let wanted = BUDGET / (POINTS * (conv.channels_in + conv.channels_out));
    let most = wanted.clamp(*TILES.start(), *TILES.end());
    // Tasks of equal size, four at least.
    tiles.div_ceil(tiles.div_ceil(most).max(4)).max(1)
}

/// The output of `conv`, for weights `[3, 3, C_in, C_out]`, finished and written by `finish`; `moments`
/// asks for the statistics of what is written.
///
/// # Safety
/// `finish` must describe an output (and addend) of the convolution's shape that nobody else uses.
pub(crate) unsafe fn convolve(
    conv: &Conv,
    x: &[f32],
    w: &[f32],
    finish: Finish<'_>,
    moments: bool,
) -> Partial {
    let tiles = Tiles::new(conv);
    let (count, each) = (tiles.count(), tiles_in_task(conv, tiles.count()));
    let tasks = count.div_ceil(each);
    let partial =
        if moments { Partial::new(conv.channels_out, pixels(conv, tiles, each)) } else { Partial::none() };
    let u = weights(w, conv.channels_in, conv.channels_out);
    let zeros = Buffer::zeroed(conv.channels_in);
    let finish = Finish { moments: moments.then_some(&partial), ..finish };
    parallel::for_each(tasks, |task| {
        let first = task * each;
        let count = each.min(count - first);
        let block = Block { conv, tiles, x, zeros: &zeros, u: &u, finish: &finish, task, first, count };
        dispatch_on(u.set, block);
    });
    partial
}

/// The pixels that each task writes.
fn pixels(conv: &Conv, tiles: Tiles, each: usize) -> Vec<usize> {
    let of_tile = |tile: usize| {
        let (_, top, left) = tiles.origin(tile);
        SIDE.min(conv.out_height() - top) * SIDE.min(conv.out_width() - left)
    };
    let task = |first: usize| (first..tiles.count().min(first + each)).map(of_tile).sum();
    (0..tiles.count()).step_by(each).map(task).collect()
}

/// `[3, 3, C_in, C_out]` to the weights of the data gradient: `[3, 3, C_out, C_in]`, turned by 180°.
pub(crate) fn turned(w: &[f32], channels_in: usize, channels_out: usize) -> Buffer {
    const SQUARE: usize = 16;
    let mut turned = Buffer::scratch(w.len());
    let size = channels_in * channels_out;
    parallel::row_blocks(&mut turned, SQUARE * channels_in, 1, |block, out| {
        let (tap, first) = (block * SQUARE / channels_out, block * SQUARE % channels_out);
        let from = &w[(8 - tap) * size..][..size];
        let watch = Watch::start();
        for left in (0..channels_in).step_by(SQUARE) {
            for o in 0..SQUARE {
                for i in left..left + SQUARE {
                    out[o * channels_in + i] = from[i * channels_out + first + o];
                }
            }
        }
        watch.stop(Work::Packing);
    });
    turned
}

/// The weights at every point: in each panel 36 matrices `[C_in, width]`, one row apart for the same
/// reason as `point_stride`.
fn weights(w: &[f32], channels_in: usize, channels_out: usize) -> Panels {
    Panels::empty(POINTS * (channels_in + 1), channels_out).fill(
        Work::Transforms,
        |first, _, width, panel| {
            dispatch(WeightPanel { w, channels_in, channels_out, first, width, panel });
        },
    )
}

struct WeightPanel<'a> {
    w: &'a [f32],
    channels_in: usize,
    channels_out: usize,
    first: usize,
    width: usize,
    panel: &'a mut [f32],
}

impl Job for WeightPanel<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let tap = self.channels_in * self.channels_out;
        for k in 0..self.channels_in {
            for lane in (0..self.width).step_by(S::LANES) {
                let from = self.w[k * self.channels_out + self.first + lane..].as_ptr();
                let to = self.panel[k * self.width + lane..].as_mut_ptr();
                // SAFETY: columns come in whole vectors (`suits`); the panel holds 36 matrices.
                unsafe {
                    weights_square::<S>(
                        |i| S::load(from.add(i * tap)),
                        |point, value| S::store(to.add(point * (self.channels_in + 1) * self.width), value),
                    );
                }
            }
        }
    }
}

/// Some tiles: a task.
struct Block<'a> {
    conv: &'a Conv,
    tiles: Tiles,
    x: &'a [f32],
    zeros: &'a [f32],
    u: &'a Panels,
    finish: &'a Finish<'a>,
    task: usize,
    first: usize,
    count: usize,
}

impl Job for Block<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: promised by the caller of `convolve`.
        unsafe {
            match S::TILE_ROWS {
                6 => self.all::<S, 6>(),
                12 => self.all::<S, 12>(),
                _ => self.all::<S, 4>(),
            }
        }
    }
}

impl Block<'_> {
    #[inline(always)]
    unsafe fn all<S: Simd, const M: usize>(&self) {
        let (from, to) = (self.conv.channels_in, self.conv.channels_out);
        let mut v = Buffer::scratch(POINTS * point_stride(self.count, from));
        let mut m = Buffer::scratch(POINTS * point_stride(self.count, to));
        // SAFETY: the matrices have room for every tile at every point.
        unsafe {
            let watch = Watch::start();
            self.transform_inputs::<S>(&mut v);
            watch.stop(Work::Transforms);
            let watch = Watch::start();
            self.multiply::<S, M>(&v, &mut m);
            watch.product(POINTS * self.count * from * to);
            let watch = Watch::start();
            self.write_outputs::<S>(&m);
            self.finish.written::<S>();
            watch.stop(Work::Transforms);
        }
    }

    /// V[point][tile][channel] of every tile.
    #[inline(always)]
    unsafe fn transform_inputs<S: Simd>(&self, v: &mut [f32]) {
        let (squares, channels) = (inputs(self.conv), self.conv.channels_in);
        let stride = point_stride(self.count, channels);
        for tile in 0..self.count {
            let pixels = squares.pointers::<6, POINTS>(self.tiles, self.first + tile, self.x, self.zeros);
            let out = v[tile * channels..].as_mut_ptr();
            for channel in (0..channels).step_by(S::LANES) {
                // SAFETY: every pixel has `channels` floats, in whole vectors.
                unsafe {
                    input_square::<S>(
                        |i| S::load(pixels[i].add(channel)),
                        |point, value| S::store(out.add(point * stride + channel), value),
                    );
                }
            }
        }
    }

    /// M = V·U at every point.
    #[inline(always)]
    unsafe fn multiply<S: Simd, const M: usize>(&self, v: &[f32], m: &mut [f32]) {
        for point in 0..POINTS {
            for panel in 0..self.u.count() {
                self.fetch_next::<S>(point * self.u.count() + panel, POINTS * self.u.count());
                // SAFETY: as for `all`.
                unsafe {
                    match self.u.vectors(panel) {
                        4 if S::TILE_VECTORS == 4 => self.product::<S, M, 4>(v, m, point, panel),
                        3 if S::TILE_VECTORS == 4 => self.product::<S, M, 3>(v, m, point, panel),
                        2 => self.product::<S, M, 2>(v, m, point, panel),
                        _ => self.product::<S, M, 1>(v, m, point, panel),
                    }
                }
            }
        }
    }

    /// Ask for one of `parts` parts of the pixels of the next task, which this thread most likely takes next.
    #[inline(always)]
    fn fetch_next<S: Simd>(&self, part: usize, parts: usize) {
        let (squares, first) = (inputs(self.conv), self.first + self.count);
        let pixels = self.count.min(self.tiles.count() - first) * SIDE * SIDE;
        for pixel in part * pixels / parts..(part + 1) * pixels / parts {
            let (image, top, left) = self.tiles.origin(first + pixel / (SIDE * SIDE));
            let (line, column) = (top + pixel / SIDE % SIDE, left + pixel % SIDE);
            let place = ((image * squares.height + line) * squares.width + column) * squares.channels;
            for channel in (0..squares.channels).step_by(LINE) {
                S::soon_read(self.x.as_ptr().wrapping_add(place + channel));
            }
        }
    }

    #[inline(always)]
    unsafe fn product<S: Simd, const M: usize, const V: usize>(
        &self,
        v: &[f32],
        m: &mut [f32],
        point: usize,
        panel: usize,
    ) {
        let (from, to) = (self.conv.channels_in, self.conv.channels_out);
        let v = &v[point * point_stride(self.count, from)..];
        let out = &mut m[point * point_stride(self.count, to) + panel * self.u.panel_width()..];
        let u = self.u.panel(panel)[point * (from + 1) * V * S::LANES..].as_ptr();
        // SAFETY: each row has `C_in` floats, the panel `C_in` rows at this point; all columns are real.
        let tile = |start| unsafe {
            match self.count - start {
                ..=2 if M > 2 => self.register_tile::<S, 2, V>(v, u, out, start),
                ..=4 if M > 4 => self.register_tile::<S, 4, V>(v, u, out, start),
                _ => self.register_tile::<S, M, V>(v, u, out, start),
            }
        };
        (0..self.count).step_by(M).for_each(tile);
    }

    /// Up to `M` rows from `start` on.
    #[inline(always)]
    unsafe fn register_tile<S: Simd, const M: usize, const V: usize>(
        &self,
        v: &[f32],
        u: *const f32,
        out: &mut [f32],
        start: usize,
    ) {
        let (from, to) = (self.conv.channels_in, self.conv.channels_out);
        // Rows past the end read the last row again and are not written.
        let mut rows = [std::ptr::null(); M];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = v[(start + i).min(self.count - 1) * from..].as_ptr();
        }
        // SAFETY: promised by the caller.
        unsafe {
            let sums = sums::<S, M, V>(rows.as_ptr(), 1, from, u);
            for (i, sums) in sums.iter().enumerate().take(self.count - start) {
                let place = out[(start + i) * to..].as_mut_ptr();
                for (v, &sum) in sums.iter().enumerate() {
                    S::store(place.add(v * S::LANES), sum);
                }
            }
        }
    }

    /// Carry every tile back to pixels and finish them.
    #[inline(always)]
    unsafe fn write_outputs<S: Simd>(&self, m: &[f32]) {
        let (squares, channels): (Squares, usize) = (outputs(self.conv), self.conv.channels_out);
        let stride = point_stride(self.count, channels);
        let mut next = squares.places::<SIDE, 16>(self.tiles, self.first);
        for tile in 0..self.count {
            let places = next;
            if tile + 1 < self.count {
                next = squares.places::<SIDE, 16>(self.tiles, self.first + tile + 1);
            }
            let from = m[tile * channels..].as_ptr();
            for channel in (0..channels).step_by(S::LANES) {
                if channel % LINE == 0 {
                    for place in next.iter().flatten() {
                        self.finish.soon::<S>(place + channel);
                    }
                }
                // SAFETY: the places lie within the output; channels come in whole vectors.
                unsafe {
                    let (mut values, mut real, mut count) = ([[S::splat(0.0)]; 16], [0; 16], 0);
                    output_square::<S>(
                        |point| S::load(from.add(point * stride + channel)),
                        |i, value| {
                            if let Some(place) = places[i] {
                                values[count] = [value];
                                real[count] = place;
                                count += 1;
                            }
                        },
                    );
                    let mut moments = TileMoments::<S, 1>::new();
                    if let Some(partial) = self.finish.moments.filter(|_| tile > 0) {
                        partial.read(self.task, channel, &mut moments);
                    }
                    if count == values.len() {
                        self.finish.whole(values, &real, channel, &mut moments);
                    } else {
                        self.finish.some(&values[..count], &real[..count], channel, &mut moments);
                    }
                    if let Some(partial) = self.finish.moments {
                        partial.write(self.task, (channel, S::LANES), &moments);
                    }
                }
            }
        }
    }
}
