//! A rectangle of a sum of outer products, from packed operands.

use crate::both::for_both;
use std::marker::PhantomData;
use wellfit_simd::parallel::Shared;
use wellfit_simd::profile::Watch;
#[cfg(target_arch = "x86_64")]
use wellfit_simd::tiles::Amx;
use wellfit_simd::tiles::{Emulated, MatrixUnit, SIDE};
use wellfit_simd::vector::{CACHE_LINE, Element, InstructionSet, Kernel, Simd};

/// Floats of the panel of the right operand that stays in the first-level cache: half of it.
const PANEL: usize = 4096;

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
        compute(RectangleTask { rectangle: self, operands, out, ahead, numbers: PhantomData::<E> });
        watch.product::<E>(self.rows * self.columns * operands.height * E::PER_LANE);
    }
}

for_both! { compute(task: RectangleTask) E::dispatch_on(task.operands.set, task) }

pub(crate) struct RectangleTask<'a, E> {
    rectangle: Rectangle,
    operands: Operands<'a>,
    out: Shared,
    ahead: (usize, &'a dyn Fn(usize)),
    numbers: PhantomData<E>,
}

impl<E: Element> Kernel for RectangleTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { rectangle, operands, out, ahead, .. } = self;
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
                6 => rectangle.tiles::<S, E, 6>(left, right, height, out, ahead),
                8 => rectangle.tiles::<S, E, 8>(left, right, height, out, ahead),
                12 => rectangle.tiles::<S, E, 12>(left, right, height, out, ahead),
                _ => rectangle.tiles::<S, E, 4>(left, right, height, out, ahead),
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
        (ahead, fetch): (usize, &dyn Fn(usize)),
    ) {
        let width = 2 * S::LANES;
        let block = const { most_rows::<S>() };
        let tiles = height.div_ceil(block) * self.columns.div_ceil(width) * self.rows.div_ceil(M);
        let (each, mut fetched) = (ahead.div_ceil(tiles.max(1)), 0);
        for from in (0..height).step_by(block) {
            let count = block.min(height - from);
            // A panel of the right operand stays in the first-level cache while the left one streams by.
            for column in (0..self.columns).step_by(width) {
                let real = width.min(self.columns - column);
                let b = right[column * height + from * width..].as_ptr();
                for row in (0..self.rows).step_by(M) {
                    let panel = row / left_width * left_width;
                    let a = left[panel * height + from * left_width + row - panel..].as_ptr();
                    let rows = M.min(self.rows - row);
                    (fetched..ahead.min(fetched + each)).for_each(fetch);
                    fetched += each;
                    let tile = Tile {
                        a: (a, left_width),
                        b: (b, width),
                        height: count,
                        stride: self.stride,
                        rows,
                        real,
                        fresh: self.fresh && from == 0,
                    };
                    // SAFETY: both panels hold `count` rows from here; the tile lies in the rectangle.
                    unsafe {
                        let place = out.from(row * self.stride + column).pointer();
                        match real.div_ceil(S::LANES) {
                            2 => tile.add::<S, E, M, 2>(place),
                            _ => tile.add::<S, E, M, 1>(place),
                        }
                    }
                }
            }
        }
    }
}

/// Some rows and columns of `dw`, whose sums are in registers together.
struct Tile {
    /// The left operand and the floats from one of its rows to the next.
    a: (*const f32, usize),
    b: (*const f32, usize),
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
            let sums = sums::<S, E, M, V>(self.a, self.b, self.height);
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
/// `a` and `b` hold `height` rows of `M` lanes and `V` vectors, each with its distance between rows.
#[inline(always)]
unsafe fn sums<S: Simd, E: Element, const M: usize, const V: usize>(
    (mut a, a_step): (*const f32, usize),
    (mut b, b_step): (*const f32, usize),
    height: usize,
) -> [[S::Vector; V]; M] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut sums = [[S::splat(0.0); V]; M];
        for _ in 0..height {
            let mut columns = [S::splat(0.0); V];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = S::load(b.add(v * S::LANES));
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
