//! The left operand of a product as tiles.

use wellfit_simd::tiles::SIDE;
use wellfit_simd::{Buffer, Element};

/// Bytes in a row of a tile.
pub(super) const ROW: usize = SIDE * size_of::<f32>();
/// Rows that lie a multiple of so many bytes apart compete for the same few places in the first-level cache.
const CLASH: isize = 4096;

/// Where the tiles of sixteen rows lie, of one segment.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub first: *const u8,
    /// Bytes from one row to the next.
    pub stride: isize,
    /// Bytes from one tile to the next.
    pub step: usize,
}

/// The rows of a task, each of `segments` runs of `depth` numbers, as tiles. Rows that lie evenly are read in place; all
/// others are copied, and a last tile that is not full is filled up with zeros.
pub(super) struct Left<E: Element> {
    /// `[tiles of rows][segments]`.
    pub runs: Vec<Run>,
    _copies: Buffer<E>,
}

impl<E: Element> Left<E> {
    /// From pointers `[segments][slots]`, a whole number of tiles of them.
    ///
    /// # Safety
    /// `depth` numbers must be readable behind each pointer, for as long as the tiles are used.
    pub(super) unsafe fn new(table: &[*const E], segments: usize, depth: usize) -> Self {
        // A row of no segments has a sum of 0.
        let (slots, in_row) = (table.len() / segments.max(1), SIDE * E::PER_LANE);
        let (whole, size) = (depth.is_multiple_of(in_row), depth.div_ceil(in_row) * SIDE * in_row);
        let rows = |run: usize| &table[run % segments * slots + run / segments * SIDE..][..SIDE];
        let strides: Vec<Option<isize>> =
            (0..table.len() / SIDE).map(|run| if whole { even_stride(rows(run)) } else { None }).collect();
        let uneven = strides.iter().filter(|stride| stride.is_none()).count();
        let mut copies = Buffer::scratch(uneven * size);
        let (mut free, mut runs) = (0, Vec::with_capacity(strides.len()));
        for (run, stride) in strides.into_iter().enumerate() {
            runs.push(if let Some(stride) = stride {
                Run { first: rows(run)[0].cast(), stride, step: ROW }
            } else {
                let copy = &mut copies[free..free + size];
                free += size;
                // SAFETY: promised by the caller.
                unsafe { copy_rows(rows(run), depth, copy) }
                Run { first: copy.as_ptr().cast(), stride: ROW as isize, step: SIDE * ROW }
            });
        }
        Self { runs, _copies: copies }
    }
}

/// Bytes from each row to the next, where they are the same for all and the rows can be read in place.
fn even_stride<E>(rows: &[*const E]) -> Option<isize> {
    let between = |pair: &[*const E]| pair[1].addr().wrapping_sub(pair[0].addr()).cast_signed();
    let stride = between(rows);
    let even = rows.windows(2).all(|pair| between(pair) == stride);
    (even && (stride % CLASH != 0 || stride == 0)).then_some(stride)
}

/// Rows of `depth` numbers to `[tiles][16 rows][16 lanes]`, zeros behind them.
///
/// # Safety
/// The rows must be readable.
unsafe fn copy_rows<E: Element>(rows: &[*const E], depth: usize, to: &mut [E]) {
    let in_row = SIDE * E::PER_LANE;
    for (tile, to) in to.chunks_exact_mut(SIDE * in_row).enumerate() {
        let (from, count) = (tile * in_row, in_row.min(depth - tile * in_row));
        for (row, to) in rows.iter().zip(to.chunks_exact_mut(in_row)) {
            // SAFETY: `from + count <= depth`.
            let source = unsafe { std::slice::from_raw_parts(row.add(from), count) };
            if let (Some(whole), true) = (to.first_chunk_mut::<32>(), count == 32) {
                // Of known length: a copy of one cache line needs no call.
                whole.copy_from_slice(source);
                continue;
            }
            to[..count].copy_from_slice(source);
            to[count..].fill(E::default());
        }
    }
}
