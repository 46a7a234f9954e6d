//! The weight gradient: a sum of outer products over pixels.
//!
//! `dw[s·depth + i][·] = Σ_r a(r, s)[i] · dy[r][·]`
//!
//! The long dimension is the rows (every pixel of the batch), so it is cut into blocks that fit in a
//! core's cache. When `dw` is small, blocks of rows are summed apart and added in order at the end; when it
//! is large, each task owns some of its rows and walks over all pixels. Which one depends on the shape only.

use crate::Buffer;
use crate::gemm::Rows;
use crate::parallel::{self, Shared};
use crate::simd::{InstructionSet, Job, Simd, dispatch_on};

/// The shape of a weight gradient.
pub(crate) struct Outer<'a> {
    pub rows: usize,
    pub segments: usize,
    pub depth: usize,
    pub columns: usize,
    /// `[rows, columns]`.
    pub dy: &'a [f32],
}

/// `dw` up to this size (in floats) gets partial sums over blocks of rows.
const SMALL: usize = 1 << 17;
const PARTS: usize = 8;
/// Fewer rows than this are not worth a part of their own.
const PART_ROWS: usize = 512;

impl Outer<'_> {
    /// Compute `dw` `[segments · depth, columns]`.
    ///
    /// # Safety
    /// `rows.inputs` must yield pointers to `depth` readable floats for every row.
    pub(crate) unsafe fn run<R: Rows>(&self, rows: &R) -> Buffer {
        let inner = self.segments * self.depth;
        let size = inner * self.columns;
        let mut dw = Buffer::zeroed(size);
        if size <= SMALL {
            let parts = self.rows.div_ceil(PART_ROWS).clamp(1, PARTS);
            let each = self.rows.div_ceil(parts);
            let mut partial = Buffer::zeroed(size * (parts - 1));
            let (first, others) = (Shared::new(&mut dw), Shared::new(&mut partial));
            parallel::for_each(parts, |part| {
                // SAFETY: every part has its own `size` floats.
                let out = unsafe {
                    if part == 0 { first.slice(0, size) } else { others.slice((part - 1) * size, size) }
                };
                let (from, to) = ((part * each).min(self.rows), ((part + 1) * each).min(self.rows));
                self.block(rows, (from, to), (0, inner), out);
            });
            for part in partial.chunks_exact(size) {
                dw.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
            }
        } else {
            let each = inner.div_ceil(PARTS);
            parallel::row_blocks(&mut dw, self.columns, each, |first, out| {
                self.block(rows, (0, self.rows), (first, out.len() / self.columns), out);
            });
        }
        dw
    }

    fn block<R: Rows>(
        &self,
        rows: &R,
        (from, to): (usize, usize),
        (first, count): (usize, usize),
        out: &mut [f32],
    ) {
        let set = InstructionSet::current();
        dispatch_on(set, Task { outer: self, rows, from, to, first, count, out });
    }
}

/// Rows `from..to` into rows `first..first + count` of `dw`, which `out` holds.
struct Task<'a, R> {
    outer: &'a Outer<'a>,
    rows: &'a R,
    from: usize,
    to: usize,
    first: usize,
    count: usize,
    out: &'a mut [f32],
}

impl<R: Rows> Job for Task<'_, R> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: promised by the caller of `Outer::run`.
        unsafe {
            match S::TILE_ROWS {
                6 => self.blocks::<S, 6>(),
                14 => self.blocks::<S, 14>(),
                12 => self.blocks::<S, 12>(),
                _ => self.blocks::<S, 4>(),
            }
        }
    }
}

impl<R: Rows> Task<'_, R> {
    #[inline(always)]
    unsafe fn blocks<S: Simd, const M: usize>(self) {
        let (outer, columns) = (self.outer, self.outer.columns);
        let width = 2 * S::LANES;
        // Both packed operands of a block should stay in the second-level cache.
        let block = (65_536 / (self.count.min(outer.depth) + columns)).clamp(32, 256);
        let padded = columns.next_multiple_of(width);
        let mut right = Buffer::scratch(block * padded);
        let mut left = Buffer::scratch(block * outer.depth.next_multiple_of(M));
        let mut table = vec![std::ptr::null(); block * outer.segments];
        for start in (self.from..self.to).step_by(block) {
            let height = block.min(self.to - start);
            pack_right(&outer.dy[start * columns..(start + height) * columns], columns, width, &mut right);
            for row in 0..height {
                self.rows.inputs(start + row, &mut table[row..], block);
            }
            for segment in self.first / outer.depth..(self.first + self.count).div_ceil(outer.depth) {
                // The part of this segment's `depth` rows of dw that lies within ours.
                let base = segment * outer.depth;
                let low = self.first.max(base) - base;
                let high = (self.first + self.count).min(base + outer.depth) - base;
                let pointers = &table[segment * block..segment * block + height];
                // SAFETY: pointers are from `inputs`; `left` has room for `depth` rows rounded up to M.
                unsafe { pack_left::<M>(pointers, low, high, &mut left) };
                for tile in 0..(high - low).div_ceil(M) {
                    let out_row = base + low + tile * M - self.first;
                    let real_rows = M.min(high - low - tile * M);
                    for first_column in (0..columns).step_by(width) {
                        let real = width.min(columns - first_column);
                        let out = self.out[out_row * columns + first_column..].as_mut_ptr();
                        // SAFETY: both packed panels hold `height` rows; `out` holds `real_rows` rows of
                        // `real` floats, `columns` apart.
                        unsafe {
                            let a = left[tile * M * height..].as_ptr();
                            let b = right[first_column * height..].as_ptr();
                            if real > S::LANES {
                                let sums = sums::<S, M, 2>(a, b, height, width);
                                add_tile::<S, M, 2>(&sums, out, columns, real_rows, real);
                            } else {
                                let sums = sums::<S, M, 1>(a, b, height, width);
                                add_tile::<S, M, 1>(&sums, out, columns, real_rows, real);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `[height, columns]` to panels `[columns / width][height][width]`, zeros past the last column.
#[inline(always)]
fn pack_right(dy: &[f32], columns: usize, width: usize, packed: &mut [f32]) {
    let height = dy.len() / columns;
    for first in (0..columns).step_by(width) {
        let real = width.min(columns - first);
        let panel = &mut packed[first * height..][..height * width];
        for (row, out) in dy.chunks_exact(columns).zip(panel.chunks_exact_mut(width)) {
            if real == width {
                out.copy_from_slice(&row[first..first + width]);
            } else {
                out[..real].copy_from_slice(&row[first..]);
                out[real..].fill(0.0);
            }
        }
    }
}

/// Elements `low..high` of each row to panels `[tiles][rows][M]`, zeros past the last.
///
/// # Safety
/// Each pointer must have `high` readable floats.
#[inline(always)]
unsafe fn pack_left<const M: usize>(rows: &[*const f32], low: usize, high: usize, packed: &mut [f32]) {
    for tile in 0..(high - low).div_ceil(M) {
        let first = low + tile * M;
        let real = M.min(high - first);
        let panel = &mut packed[tile * M * rows.len()..][..rows.len() * M];
        for (row, out) in rows.iter().zip(panel.chunks_exact_mut(M)) {
            // SAFETY: `first + real <= high`.
            let source = unsafe { std::slice::from_raw_parts(row.add(first), real) };
            if let Ok(whole) = <&[f32; M]>::try_from(source) {
                out.copy_from_slice(whole);
            } else {
                out[..real].copy_from_slice(source);
                out[real..].fill(0.0);
            }
        }
    }
}

/// # Safety
/// `a` holds `height · M` floats, `b` `height` rows of `V` vectors, `step` floats apart.
#[inline(always)]
unsafe fn sums<S: Simd, const M: usize, const V: usize>(
    mut a: *const f32,
    mut b: *const f32,
    height: usize,
    step: usize,
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
                    *sum = S::multiply_add(left, column, *sum);
                }
            }
            a = a.add(M);
            b = b.add(step);
        }
        sums
    }
}

/// Add a tile to `out`.
///
/// # Safety
/// `out` holds `rows` rows of `real` writable floats, `stride` apart.
#[inline(always)]
unsafe fn add_tile<S: Simd, const M: usize, const V: usize>(
    sums: &[[S::Vector; V]; M],
    out: *mut f32,
    stride: usize,
    rows: usize,
    real: usize,
) {
    // SAFETY: promised by the caller; whole vectors are only used when all lanes are real.
    unsafe {
        for (row, sums) in sums.iter().enumerate().take(rows) {
            let place = out.add(row * stride);
            if real == V * S::LANES {
                for (v, &sum) in sums.iter().enumerate() {
                    let place = place.add(v * S::LANES);
                    S::store(place, S::add(S::load(place), sum));
                }
            } else {
                let mut whole = [0.0_f32; 32];
                for (v, &sum) in sums.iter().enumerate() {
                    S::store(whole.as_mut_ptr().add(v * S::LANES), sum);
                }
                for (lane, &sum) in whole.iter().enumerate().take(real) {
                    *place.add(lane) += sum;
                }
            }
        }
    }
}
