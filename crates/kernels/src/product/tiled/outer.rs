//! A rectangle of a sum of outer products, by a matrix unit.

use super::left::ROW;
use super::right::Right;
use super::step;
use super::sums::Sums;
use crate::product::rectangle::Rectangle;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::Shared;
use wellfit_simd::tiles::{SIDE, TILE, TileUnit};
use wellfit_simd::vector::Simd;

/// Floats across a panel of the right operand.
const WIDTH: usize = 2 * SIDE;

impl Rectangle {
    /// The sum over all `height` lanes, which stays in the unit until the end. `left` is in panels of 16, `right` of 32.
    ///
    /// # Safety
    /// As for [`Rectangle::add`]; the machine must have `S`, with 16 lanes, and `U`.
    #[inline(always)]
    pub(in crate::product) unsafe fn tiled<S: Simd, U: TileUnit>(
        &self,
        left: &[f32],
        right: &[f32],
        height: usize,
        out: Shared,
        (ahead, fetch): (usize, &dyn Fn(usize)),
    ) {
        // SAFETY: promised by the caller.
        let left = unsafe { turned::<U>(left, self.rows.div_ceil(SIDE), height) };
        let steps = self.columns.div_ceil(WIDTH) * self.rows.div_ceil(2 * SIDE);
        let (each, mut fetched) = (ahead.div_ceil(steps.max(1)), 0);
        // SAFETY: promised by the caller.
        let mut unit = unsafe { U::start() };
        let mut sums = Sums::new();
        for column in (0..self.columns).step_by(WIDTH) {
            let panel = Right::new(&right[column * height..][..height * WIDTH], 1, height, WIDTH);
            let real = WIDTH.min(self.columns - column);
            for row in (0..self.rows).step_by(2 * SIDE) {
                let rows = (self.rows - row).min(2 * SIDE);
                (fetched..ahead.min(fetched + each)).for_each(fetch);
                fetched += each;
                let upper = left[row / SIDE * panel.chunks() * TILE..].as_ptr().cast();
                // SAFETY: promised by the caller; the sums lie in the rectangle.
                unsafe {
                    if rows > SIDE {
                        multiply::<U, true>(&mut unit, upper, &panel);
                    } else {
                        multiply::<U, false>(&mut unit, upper, &panel);
                    }
                    sums.take::<U, 2>(&unit, rows > SIDE);
                    let place = out.from(row * self.stride + column).pointer();
                    self.write::<S>(&sums, place, (rows, real));
                }
            }
        }
    }

    /// # Safety
    /// `real` floats of each of `rows` rows from `out` on belong to the rectangle; the machine must have `S`.
    #[inline(always)]
    unsafe fn write<S: Simd>(&self, sums: &Sums, out: *mut f32, (rows, real): (usize, usize)) {
        for row in 0..rows {
            // SAFETY: promised by the caller.
            unsafe {
                let [vectors] = sums.rows::<S, 1, 2>(row);
                for (v, &sum) in vectors.iter().enumerate() {
                    let place = out.add(row * self.stride + (v * SIDE).min(real));
                    let count = real.saturating_sub(v * SIDE).min(SIDE);
                    if count < SIDE {
                        let sum = if self.fresh { sum } else { S::add(S::load_first(place, count), sum) };
                        S::store_first(place, count, sum);
                    } else {
                        S::store(place, if self.fresh { sum } else { S::add(S::load(place), sum) });
                    }
                }
            }
        }
    }
}

/// The left operand, `[panels][height][16]`, as tiles `[panels][tiles][16 rows][16 lanes]`: what was a column is a row,
/// with zeros behind it.
///
/// # Safety
/// The machine must have `U`.
#[inline(always)]
unsafe fn turned<U: TileUnit>(left: &[f32], panels: usize, height: usize) -> Buffer {
    let (chunks, whole) = (height.div_ceil(SIDE), height / SIDE);
    let mut tiles = Buffer::scratch(panels * chunks * TILE);
    for (from, to) in left.chunks_exact(height * SIDE).zip(tiles.chunks_exact_mut(chunks * TILE)) {
        for (from, to) in from.chunks_exact(TILE).zip(to.chunks_exact_mut(TILE)) {
            // SAFETY: promised by the caller; both are one tile.
            unsafe { U::transpose(from.as_ptr(), to.as_mut_ptr()) }
        }
        if whole < chunks {
            let mut last = [0.0_f32; TILE];
            let rest = &from[whole * TILE..];
            last[..rest.len()].copy_from_slice(rest);
            // SAFETY: promised by the caller; both are one tile.
            unsafe { U::transpose(last.as_ptr(), to[whole * TILE..].as_mut_ptr()) }
        }
    }
    tiles
}

/// The sums of one tile of rows of the left operand, or of `TWO`, and two of columns, in the unit's tiles 0 to 3.
///
/// # Safety
/// The left tiles must be there, those of the second rows behind those of the first; the machine must have `U`.
#[inline(always)]
unsafe fn multiply<U: TileUnit, const TWO: bool>(unit: &mut U, upper: *const u8, right: &Right<'_>) {
    let (bytes, stride, chunks) = (SIDE * ROW, right.stride(), right.chunks());
    // SAFETY: promised by the caller.
    unsafe {
        step::clear(unit);
        for chunk in 0..chunks {
            let at = |chunk: usize| (upper.wrapping_add(chunk * bytes), ROW.cast_signed());
            step::add::<U, 2, TWO>(unit, at(chunk), at(chunks + chunk), (right.tile(0, chunk, 0), stride));
        }
    }
}
