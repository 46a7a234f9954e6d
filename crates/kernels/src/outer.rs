//! The weight gradient: a sum of outer products over pixels.
//!
//! `dw[s·depth + i][·] = Σ_r a(r, s)[i] · dy[r][·]`
//!
//! The long dimension is the rows (every pixel of the batch), so it is cut into blocks whose packed
//! operands fit in a core's cache. When `dw` is small, parts of the rows are summed apart and added in order
//! at the end; when it is large, each task owns a rectangle of it and walks over all rows. Which one depends
//! on the shape only.

use crate::gemm::{LINE, Rows};
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{self, Shared};
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{InstructionSet, Kernel, Simd, dispatch_on};

/// The shape of a weight gradient.
pub(crate) struct Outer<'a> {
    pub rows: usize,
    pub segments: usize,
    pub depth: usize,
    pub columns: usize,
    /// `[rows, columns]`.
    pub dy: &'a [f32],
}

/// A gradient up to this size (in floats) gets partial sums over parts of the rows.
pub(crate) const SMALL: usize = 1 << 17;
const TASKS: usize = 8;
/// Floats of `dw` in which one task adds up the parts.
const SUMMED: usize = 1 << 12;
/// Fewer rows than this are not worth a part of their own.
const PART_ROWS: usize = 512;
/// Floats of both packed operands of a block: they stay in the second-level cache.
const OPERANDS: usize = 1 << 17;
/// Floats of the panel of the right operand that stays in the first-level cache: half of it.
const PANEL: usize = 4096;

/// Rows of a block whose products are summed in registers before they are added to `dw`.
pub(crate) const fn most_rows<S: Simd>() -> usize {
    let rows = PANEL / (2 * S::LANES);
    if rows < 256 { rows } else { 256 }
}

impl Outer<'_> {
    /// Compute `dw` `[segments · depth, columns]`.
    ///
    /// # Safety
    /// `rows.inputs` must yield pointers to `depth` readable floats for every row.
    pub(crate) unsafe fn run<R: Rows>(&self, rows: &R) -> Buffer {
        let inner = self.segments * self.depth;
        let size = inner * self.columns;
        let whole = (0..inner, 0..self.columns);
        if size <= SMALL {
            return in_parts(self.rows, size, |part, out| self.task(rows, part, whole.clone(), (out, false)));
        }
        let mut dw = Buffer::scratch(size);
        let (down, across) = self.grid();
        let (high, wide) = (inner.div_ceil(down), self.columns.div_ceil(across).next_multiple_of(32));
        let out = Shared::new(&mut dw);
        parallel::for_each(down * across, |task| {
            let (i, j) = (task / across * high, task % across * wide);
            let rectangle =
                (i.min(inner)..(i + high).min(inner), j.min(self.columns)..(j + wide).min(self.columns));
            self.task(rows, 0..self.rows, rectangle, (out, true));
        });
        dw
    }

    /// How `dw` is cut into tasks: (down, across). A task packs its part of both operands, so x is packed
    /// `across` times and dy `down` times.
    fn grid(&self) -> (usize, usize) {
        let cost =
            |&(down, across): &(usize, usize)| across * self.segments * self.depth + down * self.columns;
        [(8, 1), (4, 2), (2, 4), (1, 8)].into_iter().min_by_key(cost).unwrap_or((TASKS, 1))
    }

    fn task<R: Rows>(
        &self,
        rows: &R,
        range: Range<usize>,
        (left, right): (Range<usize>, Range<usize>),
        (out, fresh): (Shared, bool),
    ) {
        let set = InstructionSet::current();
        dispatch_on(set, Task { outer: self, rows, range, left, right, set, out, fresh });
    }
}

/// The sum of what `add` adds to zeros for each of a few parts of the rows, in order.
pub(crate) fn in_parts(rows: usize, size: usize, add: impl Fn(Range<usize>, Shared) + Sync + Send) -> Buffer {
    let parts = rows.div_ceil(PART_ROWS).clamp(1, TASKS);
    let each = rows.div_ceil(parts);
    let [mut dw, mut partial] = [size, size * (parts - 1)].map(Buffer::zeroed);
    let (first, others) = (Shared::new(&mut dw), Shared::new(&mut partial));
    parallel::for_each(parts, |part| {
        let out = if part == 0 { first } else { others.from((part - 1) * size) };
        add((part * each).min(rows)..((part + 1) * each).min(rows), out);
    });
    parallel::row_blocks(&mut dw, 1, SUMMED, |first, dw| {
        for part in partial.chunks_exact(size) {
            dw.iter_mut().zip(&part[first..]).for_each(|(sum, &x)| *sum += x);
        }
    });
    dw
}

/// Rows `range` into the rectangle `left` × `right` of `dw`.
struct Task<'a, R> {
    outer: &'a Outer<'a>,
    rows: &'a R,
    range: Range<usize>,
    left: Range<usize>,
    right: Range<usize>,
    set: InstructionSet,
    out: Shared,
    /// Write over what is there instead of adding to it.
    fresh: bool,
}

impl<R: Rows> Kernel for Task<'_, R> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (outer, wide) = (self.outer, self.right.len());
        let (left_width, right_width) = (self.set.left_width(), 2 * S::LANES);
        let block = (OPERANDS / (self.left.len().min(outer.depth) + wide).max(1)).clamp(32, most_rows::<S>());
        let mut right = Buffer::scratch(block * wide.next_multiple_of(right_width));
        let mut left = Buffer::scratch(block * outer.depth.next_multiple_of(left_width));
        let [mut table, mut next] = [(); 2].map(|()| vec![std::ptr::null(); block * outer.segments]);
        let height = |start: usize| block.min(self.range.end - start);
        let dy = |row: usize| outer.dy.as_ptr().wrapping_add(row * outer.columns + self.right.start);
        self.rows.inputs(self.range.start, height(self.range.start), &mut table, |row| row, block);
        for start in self.range.clone().step_by(block) {
            let end = start + height(start);
            self.rows.inputs(end, height(end), &mut next, |row| row, block);
            // SAFETY: dy has `columns` floats for each row of the range.
            unsafe { pack(|row| dy(start + row), end - start, wide, right_width, &mut right) }
            for segment in self.left.start / outer.depth..self.left.end.div_ceil(outer.depth) {
                // The part of this segment's `depth` rows of dw that lies within ours.
                let base = segment * outer.depth;
                let low = self.left.start.max(base) - base;
                let high = self.left.end.min(base + outer.depth) - base;
                let [pointers, coming] = [&table, &next].map(|table| &table[segment * block..]);
                let fetch = |row: usize| {
                    fetch::<S>(coming[row].wrapping_add(low), high - low);
                    if base <= self.left.start {
                        fetch::<S>(dy(end + row), wide);
                    }
                };
                // SAFETY: pointers are from `inputs`; the rectangle of `dw` belongs to this task.
                unsafe {
                    pack(|row| pointers[row].add(low), end - start, high - low, left_width, &mut left);
                    let out = self.out.from((base + low) * outer.columns + self.right.start);
                    let fresh = self.fresh && start == self.range.start;
                    let shape = Shape { rows: high - low, columns: wide, stride: outer.columns, fresh };
                    shape.add::<S>((&left, left_width), &right, end - start, out, (height(end), fetch));
                }
            }
            std::mem::swap(&mut table, &mut next);
        }
    }
}

/// Ask for `count` floats from `start` on.
#[inline(always)]
pub(crate) fn fetch<S: Simd>(start: *const f32, count: usize) {
    (0..count).step_by(LINE).for_each(|i| S::prefetch_read(start.wrapping_add(i)));
}

/// Rows of `count` floats to panels `[count / width][height][width]`; what lies past the last is
/// unspecified and ends up in sums that nobody reads.
///
/// # Safety
/// `count` floats must be readable from `row(i)` on, for every `i` below `height`.
#[inline(always)]
pub(crate) unsafe fn pack(
    row: impl Fn(usize) -> *const f32,
    height: usize,
    count: usize,
    width: usize,
    packed: &mut [f32],
) {
    let watch = Watch::start();
    // Panel by panel: what is written lies together, and what is read stays in a near cache between two panels.
    for first in (0..count).step_by(width) {
        let real = width.min(count - first);
        for (i, out) in packed[first * height..][..width * height].chunks_exact_mut(width).enumerate() {
            // SAFETY: `first + real <= count`.
            let source = unsafe { std::slice::from_raw_parts(row(i).add(first), real) };
            match real {
                8 => copy::<8>(source, out),
                16 => copy::<16>(source, out),
                24 => copy::<24>(source, out),
                32 => copy::<32>(source, out),
                _ => out[..real].copy_from_slice(source),
            }
        }
    }
    watch.stop(Work::Packing);
}

/// A copy whose length the compiler knows: a few vector moves instead of a call.
#[inline(always)]
fn copy<const N: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
}

/// `out[i][j] += Σ_r left[r][i] · right[r][j]`, or `=` where it is `fresh`, both operands packed in panels of `height`
/// rows.
pub(crate) fn add_product(
    set: InstructionSet,
    left: &[f32],
    right: &[f32],
    height: usize,
    (rows, columns): (usize, usize),
    (out, fresh): (&mut [f32], bool),
) {
    let shape = Shape { rows, columns, stride: columns, fresh };
    assert!(out.len() >= rows * columns, "dw has {rows} × {columns} floats");
    dispatch_on(
        set,
        Whole { shape, left, left_width: set.left_width(), right, height, out: Shared::new(out) },
    );
}

struct Whole<'a> {
    shape: Shape,
    left: &'a [f32],
    left_width: usize,
    right: &'a [f32],
    height: usize,
    out: Shared,
}

impl Kernel for Whole<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `out` was borrowed for this product.
        unsafe {
            self.shape.add::<S>((self.left, self.left_width), self.right, self.height, self.out, (0, |_| ()))
        }
    }
}

/// A rectangle of `dw`, whose rows lie `stride` floats apart.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub rows: usize,
    pub columns: usize,
    pub stride: usize,
    /// It holds nothing yet: sums are written, not added.
    pub fresh: bool,
}

impl Shape {
    /// `soon` is a number of rows that will be packed next, and how to ask for one: spread over the tiles, they
    /// come from memory while this product is computed.
    ///
    /// # Safety
    /// `out` begins at the rectangle, which nobody else uses meanwhile; the machine must have `S`.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd>(
        &self,
        left: (&[f32], usize),
        right: &[f32],
        height: usize,
        out: Shared,
        soon: (usize, impl Fn(usize)),
    ) {
        let watch = Watch::start();
        // SAFETY: promised by the caller; the match is on a constant.
        unsafe {
            match S::OUTER_ROWS {
                6 => self.tiles::<S, 6>(left, right, height, out, soon),
                8 => self.tiles::<S, 8>(left, right, height, out, soon),
                12 => self.tiles::<S, 12>(left, right, height, out, soon),
                _ => self.tiles::<S, 4>(left, right, height, out, soon),
            }
        }
        watch.product(self.rows * self.columns * height);
    }

    #[inline(always)]
    unsafe fn tiles<S: Simd, const M: usize>(
        &self,
        (left, left_width): (&[f32], usize),
        right: &[f32],
        height: usize,
        out: Shared,
        (soon, ask): (usize, impl Fn(usize)),
    ) {
        let width = 2 * S::LANES;
        let block = const { most_rows::<S>() };
        let tiles = height.div_ceil(block) * self.columns.div_ceil(width) * self.rows.div_ceil(M);
        let (each, mut asked) = (soon.div_ceil(tiles.max(1)), 0);
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
                    (asked..soon.min(asked + each)).for_each(&ask);
                    asked += each;
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
                            2 => tile.add::<S, M, 2>(place),
                            _ => tile.add::<S, M, 1>(place),
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
    unsafe fn add<S: Simd, const M: usize, const V: usize>(&self, out: *mut f32) {
        for row in 0..self.rows {
            for line in (0..self.real).step_by(LINE) {
                S::prefetch_write(out.wrapping_add(row * self.stride + line));
            }
        }
        // SAFETY: promised by the caller.
        unsafe {
            let sums = sums::<S, M, V>(self.a, self.b, self.height);
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
/// `a` and `b` hold `height` rows of `M` floats and `V` vectors, each with its distance between rows.
#[inline(always)]
unsafe fn sums<S: Simd, const M: usize, const V: usize>(
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
                    *sum = S::multiply_add(left, column, *sum);
                }
            }
            a = a.add(a_step);
            b = b.add(b_step);
        }
        sums
    }
}
