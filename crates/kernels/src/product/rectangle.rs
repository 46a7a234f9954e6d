//! A rectangle of a sum of outer products, from packed operands.

use crate::both::for_both;
use std::marker::PhantomData;
use wellfit_simd::cache;
use wellfit_simd::parallel::Shared;
use wellfit_simd::profile::Watch;
#[cfg(target_arch = "x86_64")]
use wellfit_simd::tiles::Amx;
use wellfit_simd::tiles::{Emulated, MatrixUnit, SIDE};
use wellfit_simd::vector::{CACHE_LINE, Element, InstructionSet, Kernel, Simd};

/// Floats of the panel of the right operand that stays in the first-level cache: half of the smallest there is.
const PANEL: usize = 4096;

/// A first-level cache of so many bytes keeps two such panels.
const WIDE_CACHE: usize = 48 << 10;

/// Rows of the tiles across a panel of 16 of the left operand, where two panels of the right one stay in the cache. Their four
/// vectors are loaded for more sums than two are: Intel's cores load hardly more than one vector a cycle, while they could add
/// two products. Each sum is the same, so the width of a tile changes no bit.
const WIDE_ROWS: [usize; 3] = [6, 6, 4];

/// Lanes of a block whose products are summed in registers before they are added to `dw`.
pub(crate) const fn most_rows<S: Simd>() -> usize {
    let rows = PANEL / (2 * S::LANES);
    if rows < 256 { rows } else { 256 }
}

/// `out[i][j] += Σ_r left[r][i] · right[r][j]`, or `=` where it is `fresh`.
pub(crate) fn add_product<E: Element>(
    operands: Operands<'_>,
    (rows, columns): (usize, usize),
    (out, fresh): (&mut [f32], bool),
) {
    let rectangle = Rectangle { rows, columns, stride: columns, fresh };
    assert!(out.len() >= rows * columns, "dw has {rows} × {columns} floats");
    // SAFETY: `out` is borrowed for this product.
    unsafe { rectangle.add::<E>(operands, Shared::new(out), (0, &|_| ())) }
}

/// Both operands of a sum of outer products, in panels of `height` rows of lanes that are as wide as the instruction set
/// wants them.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    pub set: InstructionSet,
    pub left: &'a [f32],
    pub right: &'a [f32],
    pub height: usize,
}

/// A rectangle of `dw`, whose rows lie `stride` floats apart.
#[derive(Clone, Copy)]
pub(crate) struct Rectangle {
    pub rows: usize,
    pub columns: usize,
    pub stride: usize,
    /// It holds nothing yet: sums are written, not added.
    pub fresh: bool,
}

impl Rectangle {
    /// `ahead` is a number of rows that will be packed next, and how to fetch one: spread over the tiles, they
    /// come from memory while this product is computed.
    ///
    /// # Safety
    /// `out` begins at the rectangle, which nobody else uses meanwhile.
    pub(crate) unsafe fn add<E: Element>(
        self,
        operands: Operands<'_>,
        out: Shared,
        ahead: (usize, &dyn Fn(usize)),
    ) {
        let watch = Watch::start();
        let wide = cache::first_level_data() >= WIDE_CACHE;
        compute(RectangleTask { rectangle: self, operands, out, ahead, wide, numbers: PhantomData::<E> });
        watch.product::<E>(self.rows * self.columns * operands.height * E::PER_LANE);
    }
}

for_both! { compute(task: RectangleTask) E::dispatch_on(task.operands.set, task) }

pub(crate) struct RectangleTask<'a, E> {
    rectangle: Rectangle,
    operands: Operands<'a>,
    out: Shared,
    ahead: (usize, &'a dyn Fn(usize)),
    /// Tiles of four vectors, where the instruction set has registers for them.
    wide: bool,
    numbers: PhantomData<E>,
}

impl<E: Element> Kernel for RectangleTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { rectangle, operands, out, ahead, wide, .. } = self;
        let Operands { set, left, right, height } = operands;
        // SAFETY: promised by the caller of `Rectangle::add`; a matrix unit comes with vectors of 16 lanes, for which operands
        // are packed in panels of 16 and 32. The second match is on a constant.
        unsafe {
            match E::matrix_unit() {
                #[cfg(target_arch = "x86_64")]
                Some(MatrixUnit::Amx) if S::LANES == SIDE => {
                    return rectangle.tiled::<S, Amx>(left, right, height, out, ahead);
                }
                Some(MatrixUnit::Emulated) if S::LANES == SIDE => {
                    return rectangle.tiled::<S, Emulated>(left, right, height, out, ahead);
                }
                _ => {}
            }
            let left = (left, set.left_width());
            match S::OUTER_ROWS {
                6 => rectangle.tiles::<S, E, 6>(left, right, height, out, (ahead, wide)),
                8 => rectangle.tiles::<S, E, 8>(left, right, height, out, (ahead, wide)),
                12 => rectangle.tiles::<S, E, 12>(left, right, height, out, (ahead, wide)),
                _ => rectangle.tiles::<S, E, 4>(left, right, height, out, (ahead, wide)),
            }
        }
    }
}

impl Rectangle {
    #[inline(always)]
    unsafe fn tiles<S: Simd, E: Element, const M: usize>(
        &self,
        (left, left_width): (&[f32], usize),
        right: &[f32],
        height: usize,
        out: Shared,
        ((ahead, fetch), wide): ((usize, &dyn Fn(usize)), bool),
    ) {
        let width = 2 * S::LANES;
        let block = const { most_rows::<S>() };
        let wide = wide && S::TILE_VECTORS == 4;
        let (across, down) = if wide {
            (self.columns.div_ceil(2 * width), self.rows.div_ceil(left_width) * WIDE_ROWS.len())
        } else {
            (self.columns.div_ceil(width), self.rows.div_ceil(M))
        };
        let tiles = height.div_ceil(block) * across * down;
        let (each, mut fetched) = (ahead.div_ceil(tiles.max(1)), 0);
        for from in (0..height).step_by(block) {
            let count = block.min(height - from);
            // A panel of the right operand, or two, stay in the first-level cache while the left one streams by.
            let mut column = 0;
            while column < self.columns {
                let is_wide = wide && self.columns - column >= 2 * width;
                let real = (self.columns - column).min(if is_wide { 2 * width } else { width });
                let b = right[column * height + from * width..].as_ptr();
                let mut row = 0;
                while row < self.rows {
                    let panel = row / left_width * left_width;
                    let a = left[panel * height + from * left_width + row - panel..].as_ptr();
                    let tile_rows = if is_wide { WIDE_ROWS[(row - panel) / WIDE_ROWS[0]] } else { M };
                    (fetched..ahead.min(fetched + each)).for_each(fetch);
                    fetched += each;
                    let tile = Tile {
                        a: (a, left_width),
                        b: (b, width),
                        apart: width * height,
                        height: count,
                        stride: self.stride,
                        rows: tile_rows.min(self.rows - row),
                        real,
                        fresh: self.fresh && from == 0,
                    };
                    // SAFETY: the panels hold `count` rows from here; the tile lies in the rectangle.
                    unsafe {
                        let place = out.from(row * self.stride + column).pointer();
                        match (real.div_ceil(S::LANES), tile_rows) {
                            (4, 6) if S::TILE_VECTORS == 4 => tile.add::<S, E, 6, 4>(place),
                            (4, _) if S::TILE_VECTORS == 4 => tile.add::<S, E, 4, 4>(place),
                            (2, _) => tile.add::<S, E, M, 2>(place),
                            _ => tile.add::<S, E, M, 1>(place),
                        }
                    }
                    row += tile_rows;
                }
                column += real;
            }
        }
    }
}

/// Some rows and columns of `dw`, whose sums are in registers together.
struct Tile {
    /// The left operand and the floats from one of its rows to the next.
    a: (*const f32, usize),
    b: (*const f32, usize),
    /// Floats from one panel of the right operand to the next.
    apart: usize,
    height: usize,
    /// Floats from one row of `dw` to the next.
    stride: usize,
    rows: usize,
    real: usize,
    fresh: bool,
}

impl Tile {
    /// # Safety
    /// As for `sums` and `add_tile`.
    #[inline(always)]
    unsafe fn add<S: Simd, E: Element, const M: usize, const V: usize>(&self, out: *mut f32) {
        for row in 0..self.rows {
            for line in (0..self.real).step_by(CACHE_LINE) {
                S::prefetch_write(out.wrapping_add(row * self.stride + line));
            }
        }
        // SAFETY: promised by the caller.
        unsafe {
            let sums = sums::<S, E, M, V>(self.a, self.b, self.apart, self.height);
            self.write::<S, M, V>(&sums, out);
        }
    }

    /// # Safety
    /// `out` holds `rows` rows of `real` writable floats, `stride` apart.
    #[inline(always)]
    unsafe fn write<S: Simd, const M: usize, const V: usize>(
        &self,
        sums: &[[S::Vector; V]; M],
        out: *mut f32,
    ) {
        // SAFETY: promised by the caller; whole vectors are only used when all lanes are real.
        unsafe {
            for (row, sums) in sums.iter().enumerate().take(self.rows) {
                let place = out.add(row * self.stride);
                if self.real == V * S::LANES {
                    for (v, &sum) in sums.iter().enumerate() {
                        let place = place.add(v * S::LANES);
                        S::store(place, if self.fresh { sum } else { S::add(S::load(place), sum) });
                    }
                } else {
                    let mut whole = [0.0_f32; 32];
                    for (v, &sum) in sums.iter().enumerate() {
                        S::store(whole.as_mut_ptr().add(v * S::LANES), sum);
                    }
                    for (lane, &sum) in whole.iter().enumerate().take(self.real) {
                        let place = place.add(lane);
                        *place = if self.fresh { sum } else { *place + sum };
                    }
                }
            }
        }
    }
}

/// # Safety
/// `a` and `b` hold `height` rows of `M` lanes and two vectors, each with its distance between rows; two further vectors lie
/// `apart` from these.
#[inline(always)]
unsafe fn sums<S: Simd, E: Element, const M: usize, const V: usize>(
    (mut a, a_step): (*const f32, usize),
    (mut b, b_step): (*const f32, usize),
    apart: usize,
    height: usize,
) -> [[S::Vector; V]; M] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut sums = [[S::splat(0.0); V]; M];
        for _ in 0..height {
            let mut columns = [S::splat(0.0); V];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = S::load(b.add(v / 2 * apart + v % 2 * S::LANES));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let left = S::splat(*a.add(row));
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = E::multiply_add::<S>(left, column, *sum);
                }
            }
            a = a.add(a_step);
            b = b.add(b_step);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_rng::{Rng, Stream};
    use wellfit_simd::Buffer;

    /// The bits of a gradient do not depend on the cache of the machine.
    #[test]
    fn a_wide_tile_makes_the_same_bits() {
        let mut rng = Rng::new(5, Stream::Noise, 0, 0);
        let mut random = |len: usize| -> Buffer {
            Buffer::from_slice(&(0..len).map(|_| rng.uniform_in(-0.5, 0.5)).collect::<Vec<f32>>())
        };
        for set in InstructionSet::available() {
            let sizes: [(usize, usize, usize); 5] =
                [(1, 64, 1), (16, 128, 130), (37, 200, 300), (6, 31, 9), (70, 96, 257)];
            for (rows, columns, height) in sizes {
                let left = random(height * rows.next_multiple_of(set.left_width()));
                let right = random(height * columns.next_multiple_of(2 * set.lanes()));
                let [narrow, wide] = [false, true].map(|wide| {
                    let mut out = vec![0.25; rows * columns];
                    let operands = Operands { set, left: &left, right: &right, height };
                    let rectangle = Rectangle { rows, columns, stride: columns, fresh: false };
                    let (shared, ahead): (_, (usize, &dyn Fn(usize))) = (Shared::new(&mut out), (0, &|_| ()));
                    let numbers = PhantomData::<f32>;
                    compute(RectangleTask { rectangle, operands, out: shared, ahead, wide, numbers });
                    out
                });
                assert_eq!(narrow, wide, "{} {rows} × {columns}, {height}", set.name());
                let expected: f64 = 0.25
                    + (0..height)
                        .map(|k| {
                            f64::from(left[k * set.left_width()]) * f64::from(right[k * 2 * set.lanes()])
                        })
                        .sum::<f64>();
                // At most 300 products below 0.25, each rounded by half a unit of 2^-24.
                assert!((f64::from(wide[0]) - expected).abs() < 1e-4, "{} {expected}", wide[0]);
            }
        }
    }
}
