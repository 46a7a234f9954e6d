//! The weight gradient: a sum of outer products over pixels.
//!
//! `dw[s·depth + i][·] = Σ_r a(r, s)[i] · dy[r][·]`
//!
//! The long dimension is the rows (every pixel of the batch), so it is cut into blocks whose packed
//! operands fit in a core's cache. When `dw` is small, parts of the rows are summed apart and added in order
//! at the end; when it is large, each task owns a rectangle of it for some part of the rows. How both are cut depends on
//! the shape only.

use super::pack::{fetch, pack};
use super::rectangle::{Operands, Rectangle, most_rows};
use super::rows::Rows;
use crate::both::for_both;
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{self, Shared};
use wellfit_simd::vector::{Element, InstructionSet, Kernel, Simd};

/// The shape of a weight gradient.
pub(crate) struct Outer<'a, E> {
    pub rows: usize,
    pub segments: usize,
    pub depth: usize,
    pub columns: usize,
    /// `[rows, columns]`.
    pub dy: &'a [E],
}

/// A gradient up to this size (in floats) gets partial sums over parts of the rows.
pub(crate) const SMALL: usize = 1 << 17;
const TASKS: usize = 8;
/// Floats of `dw` in which one task adds up the parts.
const SUMMED: usize = 1 << 12;
/// Fewer rows than this are not worth a part of their own.
pub(crate) const PART_ROWS: usize = 512;
/// Floats of both packed operands of a block: they stay in the second-level cache.
const OPERANDS: usize = 1 << 17;

impl<E: Element> Outer<'_, E> {
    /// Compute `dw` `[segments · depth, columns]`.
    ///
    /// # Safety
    /// `rows.inputs` must yield pointers to `depth` readable numbers for every row.
    pub(crate) unsafe fn run(&self, rows: &dyn Rows<E>) -> Buffer {
        let (outer, set) = (self, InstructionSet::current());
        let inner = self.segments * self.depth;
        let size = inner * self.columns;
        let Cut { parts, down, across } = self.cut();
        let (high, wide) = (inner.div_ceil(down), self.columns.div_ceil(across).next_multiple_of(32));
        in_parts(self.rows, (parts, down * across), size, |range, piece, out| {
            let (i, j) = (piece / across * high, piece % across * wide);
            let (left, right) =
                (i.min(inner)..(i + high).min(inner), j.min(self.columns)..(j + wide).min(self.columns));
            compute(OuterTask { outer, rows, range, left, right, set, out });
        })
    }

    /// How the work is cut into tasks: a small `dw` into parts of the rows only. A task packs its part of both operands, so x
    /// is packed `across` times and dy `down` times; each part of the rows but the first writes a `dw` of its own, which is
    /// then read and added. What moves the fewest floats is taken.
    fn cut(&self) -> Cut {
        let (inner, columns) = (self.segments * self.depth, self.columns);
        if inner * columns <= SMALL {
            return Cut { parts: parts_of(self.rows, PART_ROWS), down: 1, across: 1 };
        }
        let moved = |&Cut { parts, down, across }: &Cut| {
            2 * self.rows * (across * inner + down * columns) + 3 * (parts - 1) * inner * columns
        };
        let cuts = CUTS.map(|[parts, down, across]| Cut { parts, down, across });
        let possible = cuts.into_iter().filter(|cut| cut.parts == 1 || cut.parts * PART_ROWS <= self.rows);
        possible.min_by_key(moved).unwrap_or(Cut { parts: 1, down: TASKS, across: 1 })
    }
}

/// Parts of the rows, and of the height and the width of `dw`: all together a task each.
struct Cut {
    parts: usize,
    down: usize,
    across: usize,
}

/// All cuts into [`TASKS`].
const CUTS: [[usize; 3]; 10] = [
    [1, 1, 8],
    [1, 2, 4],
    [1, 4, 2],
    [1, 8, 1],
    [2, 1, 4],
    [2, 2, 2],
    [2, 4, 1],
    [4, 1, 2],
    [4, 2, 1],
    [8, 1, 1],
];

/// Into how many parts so many rows are cut, of `least` rows where there are enough.
pub(crate) fn parts_of(rows: usize, least: usize) -> usize {
    rows.div_ceil(least).clamp(1, TASKS)
}

/// The sum of what `write` writes for each part of the rows, in order. Each piece of a part is a task, which gets the part's rows
/// and the piece's number; all pieces together write every float.
pub(crate) fn in_parts(
    rows: usize,
    (parts, pieces): (usize, usize),
    size: usize,
    write: impl Fn(Range<usize>, usize, Shared) + Sync + Send,
) -> Buffer {
    if rows == 0 {
        return Buffer::zeroed(size);
    }
    let each = rows.div_ceil(parts);
    let [mut dw, mut partial] = [size, size * (parts - 1)].map(Buffer::scratch);
    let (first, others) = (Shared::new(&mut dw), Shared::new(&mut partial));
    parallel::for_each(parts * pieces, |task| {
        let (part, piece) = (task % parts, task / parts);
        let out = if part == 0 { first } else { others.from((part - 1) * size) };
        write(part * each..((part + 1) * each).min(rows), piece, out);
    });
    parallel::row_blocks(&mut dw, 1, SUMMED, |first, dw| {
        for part in partial.chunks_exact(size) {
            dw.iter_mut().zip(&part[first..]).for_each(|(sum, &x)| *sum += x);
        }
    });
    dw
}

/// The sum over the rows `range` of the rectangle `left` × `right` of `dw`.
pub(crate) struct OuterTask<'a, E> {
    outer: &'a Outer<'a, E>,
    rows: &'a dyn Rows<E>,
    range: Range<usize>,
    left: Range<usize>,
    right: Range<usize>,
    set: InstructionSet,
    out: Shared,
}

for_both! { compute(task: OuterTask) E::dispatch_on(task.set, task) }

impl<E: Element> Kernel for OuterTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (outer, wide) = (self.outer, self.right.len());
        let (left_width, right_width) = (self.set.left_width(), 2 * S::LANES);
        // Rows of lanes in a block, and of numbers.
        let lanes = (OPERANDS / (self.left.len().min(outer.depth) + wide).max(1)).clamp(32, most_rows::<S>());
        let block = lanes * E::PER_LANE;
        let mut right = Buffer::scratch(lanes * wide.next_multiple_of(right_width));
        let mut left = Buffer::scratch(lanes * outer.depth.next_multiple_of(left_width));
        let [mut table, mut next] = [(); 2].map(|()| vec![std::ptr::null(); block * outer.segments]);
        let height = |start: usize| block.min(self.range.end - start);
        let dy = |row: usize| outer.dy.as_ptr().wrapping_add(row * outer.columns + self.right.start);
        self.rows.inputs(self.range.start, height(self.range.start), &mut table, block);
        for start in self.range.clone().step_by(block) {
            let end = start + height(start);
            self.rows.inputs(end, height(end), &mut next, block);
            // SAFETY: dy has `columns` numbers for each row of the range.
            unsafe { pack::<S, E>(|row| dy(start + row), end - start, wide, right_width, &mut right) }
            for segment in self.left.start / outer.depth..self.left.end.div_ceil(outer.depth) {
                // The part of this segment's `depth` rows of dw that lies within ours.
                let base = segment * outer.depth;
                let low = self.left.start.max(base) - base;
                let high = self.left.end.min(base + outer.depth) - base;
                let [pointers, coming] = [&table, &next].map(|table| &table[segment * block..]);
                let fetch = |row: usize| {
                    fetch::<S, E>(coming[row].wrapping_add(low), high - low);
                    if base <= self.left.start {
                        fetch::<S, E>(dy(end + row), wide);
                    }
                };
                // SAFETY: pointers are from `inputs`; the rectangle of `dw` belongs to this task.
                unsafe {
                    pack::<S, E>(
                        |row| pointers[row].add(low),
                        end - start,
                        high - low,
                        left_width,
                        &mut left,
                    );
                    let out = self.out.from((base + low) * outer.columns + self.right.start);
                    let fresh = start == self.range.start;
                    let rectangle =
                        Rectangle { rows: high - low, columns: wide, stride: outer.columns, fresh };
                    let lanes = (end - start).div_ceil(E::PER_LANE);
                    let operands = Operands { set: self.set, left: &left, right: &right, height: lanes };
                    rectangle.add::<E>(operands, out, (height(end), &fetch));
                }
            }
            std::mem::swap(&mut table, &mut next);
        }
    }
}
