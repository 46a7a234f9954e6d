//! Four tiles of sums on their way from a matrix unit to vectors.

use crate::epilogue::Store;
use crate::norm::TileMoments;
use wellfit_simd::tiles::{SIDE, TileUnit};
use wellfit_simd::vector::{Element, Simd};

/// Rows that are written at once, in registers.
const ROWS: usize = 4;
/// Bytes of a row of sums.
const ROW: usize = 2 * SIDE * size_of::<f32>();

/// 32 rows of 32 sums, or of 16 in its left half.
#[repr(align(64))]
pub(super) struct Sums([[f32; 2 * SIDE]; 2 * SIDE]);

impl Sums {
    pub(super) fn new() -> Self {
        Self([[0.0; 2 * SIDE]; 2 * SIDE])
    }

    /// Take them from the unit's tiles 0 and, where there are two vectors, 1, and from 2 and 3 where there are `two` tiles
    /// of rows.
    ///
    /// # Safety
    /// The machine must have `U`.
    #[inline(always)]
    pub(super) unsafe fn take<U: TileUnit, const V: usize>(&mut self, unit: &U, two: bool) {
        let place = self.0.as_mut_ptr().cast::<u8>();
        let (right, lower) = (ROW / 2, SIDE * ROW);
        // SAFETY: promised by the caller; the four tiles are the quarters of `self`.
        unsafe {
            unit.store::<0>(place, ROW.cast_signed());
            if V == 2 {
                unit.store::<1>(place.add(right), ROW.cast_signed());
            }
            if two {
                unit.store::<2>(place.add(lower), ROW.cast_signed());
                if V == 2 {
                    unit.store::<3>(place.add(lower + right), ROW.cast_signed());
                }
            }
        }
    }

    /// Some rows of them as vectors.
    ///
    /// # Safety
    /// The machine must have `S`, with 16 lanes.
    #[inline(always)]
    pub(super) unsafe fn rows<S: Simd, const M: usize, const V: usize>(
        &self,
        from: usize,
    ) -> [[S::Vector; V]; M] {
        // SAFETY: promised by the caller.
        unsafe {
            let mut vectors = [[S::splat(0.0); V]; M];
            for (vectors, row) in vectors.iter_mut().zip(&self.0[from..from + M]) {
                for (v, vector) in vectors.iter_mut().enumerate() {
                    *vector = S::load(row.as_ptr().add(v * SIDE));
                }
            }
            vectors
        }
    }

    /// Store as many of them as there are places.
    ///
    /// # Safety
    /// As for [`Store::tile`] and [`Store::edge`], for the `real` columns from `column` on.
    #[inline(always)]
    pub(super) unsafe fn write<S: Simd, E: Element, const V: usize>(
        &self,
        store: &Store<'_, E>,
        places: &[usize],
        (column, real): (usize, usize),
        moments: &mut TileMoments<S, V>,
    ) {
        let full = real == V * SIDE;
        // SAFETY: promised by the caller.
        unsafe {
            for (group, places) in places.chunks(ROWS).enumerate() {
                let rows = self.rows::<S, ROWS, V>(group * ROWS);
                match places.first_chunk::<ROWS>() {
                    Some(places) if full => store.tile(rows, places, column, moments),
                    _ => store.edge(&mut { rows }[..places.len()], places, (column, real), moments),
                }
            }
        }
    }
}
