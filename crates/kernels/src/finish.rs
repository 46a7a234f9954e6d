//! What happens to the sums of a tile while they are in registers.

use crate::moments::Partial;
use crate::simd::Simd;

/// `out = relu(scale·sum + bias + add)`, everything but the sum being optional, and the moments of what
/// was written.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// The output's first float.
    pub out: *mut f32,
    /// One factor a column.
    pub scale: Option<&'a [f32]>,
    /// One addend a column.
    pub bias: Option<&'a [f32]>,
    /// Floats in the output's layout, added; null for none. The output itself makes a product accumulate.
    pub add: *const f32,
    /// max(·, 0) at the end; NaN stays NaN.
    pub relu: bool,
    /// Where the moments of each block of rows go.
    pub moments: Option<&'a Partial>,
}

// SAFETY: the pointers are to memory borrowed for the whole product; each row writes its own output, and
// reads of `add` are of that same row.
unsafe impl Sync for Finish<'_> {}

impl<'a> Finish<'a> {
    /// Only write the sums.
    pub(crate) fn plain(out: *mut f32) -> Finish<'a> {
        Finish { out, scale: None, bias: None, add: std::ptr::null(), relu: false, moments: None }
    }

    /// Write a tile whose `V` vectors from column `column` on are all real; row r goes to `places[r]`.
    ///
    /// # Safety
    /// `V · LANES` floats from each place on must lie within the output (and `add`), and from `column` on
    /// within `scale` and `bias`.
    #[inline(always)]
    pub(crate) unsafe fn whole<S: Simd, const V: usize>(
        &self,
        sums: &[[S::Vector; V]],
        places: &[usize],
        column: usize,
        moments: &mut TileMoments<S, V>,
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            let mut values = [[S::splat(0.0); V]; MOST_ROWS];
            for ((value, sums), &place) in values.iter_mut().zip(sums).zip(places) {
                for (v, &sum) in sums.iter().enumerate() {
                    let lane = v * S::LANES;
                    value[v] = self.value::<S>(sum, column + lane, place + lane);
                    S::store(self.out.add(place + lane), value[v]);
                }
            }
            if self.moments.is_some() {
                moments.add(&values[..places.len()]);
            }
        }
    }

    /// The same for a tile of which only the first `real` columns exist.
    ///
    /// # Safety
    /// As for `whole`, for `real` floats.
    #[inline(always)]
    pub(crate) unsafe fn partial<S: Simd, const V: usize>(
        &self,
        sums: &[[S::Vector; V]],
        places: &[usize],
        (column, real): (usize, usize),
        moments: &mut TileMoments<S, V>,
    ) {
        // Copies with room for whole vectors: the arithmetic is the same, lane for lane.
        let padded = |values: Option<&[f32]>, fill: f32| {
            let mut copy = [fill; WIDEST];
            if let Some(values) = values {
                copy[..real].copy_from_slice(&values[column..column + real]);
            }
            copy
        };
        let (scale, bias) = (padded(self.scale, 1.0), padded(self.bias, 0.0));
        // SAFETY: promised by the caller; `WIDEST` floats hold any tile's row.
        unsafe {
            let mut values = [[S::splat(0.0); V]; MOST_ROWS];
            for ((value, sums), &place) in values.iter_mut().zip(sums).zip(places) {
                let (mut add, mut out) = ([0.0_f32; WIDEST], [0.0_f32; WIDEST]);
                if !self.add.is_null() {
                    add[..real].copy_from_slice(std::slice::from_raw_parts(self.add.add(place), real));
                }
                let row = Finish {
                    out: out.as_mut_ptr(),
                    scale: self.scale.map(|_| &scale[..]),
                    bias: self.bias.map(|_| &bias[..]),
                    add: if self.add.is_null() { self.add } else { add.as_ptr() },
                    ..*self
                };
                for (v, &sum) in sums.iter().enumerate() {
                    let lane = v * S::LANES;
                    value[v] = row.value::<S>(sum, lane, lane);
                    S::store(row.out.add(lane), value[v]);
                }
                std::slice::from_raw_parts_mut(self.out.add(place), real).copy_from_slice(&out[..real]);
            }
            if self.moments.is_some() {
                moments.add(&values[..places.len()]);
            }
        }
    }

    /// # Safety
    /// As for `whole`.
    #[inline(always)]
    unsafe fn value<S: Simd>(&self, sum: S::Vector, column: usize, place: usize) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe {
            let mut value = sum;
            match (self.scale, self.bias) {
                (Some(scale), Some(bias)) => {
                    let (scale, bias) = (scale.as_ptr().add(column), bias.as_ptr().add(column));
                    value = S::multiply_add(value, S::load(scale), S::load(bias));
                }
                (Some(scale), None) => value = S::multiply(value, S::load(scale.as_ptr().add(column))),
                (None, Some(bias)) => value = S::add(value, S::load(bias.as_ptr().add(column))),
                (None, None) => {}
            }
            if !self.add.is_null() {
                value = S::add(value, S::load(self.add.add(place)));
            }
            if self.relu { S::relu(value) } else { value }
        }
    }
}

/// The most rows of a tile, and the most floats in one of its rows, over all instruction sets.
const MOST_ROWS: usize = 16;
const WIDEST: usize = 32;

/// Σ (x − shift) and Σ (x − shift)² of some columns, where shift is the mean of the first tile: near enough
/// to the mean for the difference of squares to be harmless.
pub(crate) struct TileMoments<S: Simd, const V: usize> {
    pub rows: usize,
    pub shift: [S::Vector; V],
    pub first: [S::Vector; V],
    pub second: [S::Vector; V],
}

impl<S: Simd, const V: usize> TileMoments<S, V> {
    /// # Safety
    /// The machine must have `S`; so for `add`.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: promised by the caller.
        let zero = unsafe { [S::splat(0.0); V] };
        Self { rows: 0, shift: zero, first: zero, second: zero }
    }

    /// # Safety
    /// As for `new`.
    #[inline(always)]
    pub(crate) unsafe fn add(&mut self, tile: &[[S::Vector; V]]) {
        // SAFETY: promised by the caller.
        unsafe {
            for v in 0..V {
                if self.rows == 0 {
                    let mut sum = S::splat(0.0);
                    for row in tile {
                        sum = S::add(sum, row[v]);
                    }
                    self.shift[v] = S::multiply(sum, S::splat(1.0 / tile.len() as f32));
                }
                for row in tile {
                    let d = S::subtract(row[v], self.shift[v]);
                    self.first[v] = S::add(self.first[v], d);
                    self.second[v] = S::multiply_add(d, d, self.second[v]);
                }
            }
        }
        self.rows += tile.len();
    }
}
