//! The matrix product behind every layer: rows found through pointers times packed columns.
//!
//! `out[r][·] = bias + Σ_s Σ_k a(r, s)[k] · B[s·depth + k][·]`
//!
//! A row is `segments` runs of `depth` floats. For a linear layer it is one run, for a convolution one run
//! a tap: the pixel's neighbour at that tap, or a row of zeros outside the image. So a convolution is a
//! plain product that never copies its input (the "indirect convolution" of Dukhan 2019).
//!
//! The sum of one output runs over s, then k, in one register. Its bits therefore do not depend on how
//! rows and columns are cut into tasks.

use crate::Buffer;
use crate::parallel::{self, Shared};
use crate::simd::{InstructionSet, Job, Simd, dispatch_on};

/// Where the rows of a product lie.
pub(crate) trait Rows: Sync {
    /// Write the start of each segment of `row` to `table[0]`, `table[stride]`, `table[2·stride]`, ….
    fn inputs(&self, row: usize, table: &mut [*const f32], stride: usize);
    /// Where the result of `row` goes.
    fn output(&self, row: usize) -> *mut f32;
}

/// B, cut into panels of two vectors' width so that the inner loop reads it front to back.
pub(crate) struct Panels {
    set: InstructionSet,
    lanes: usize,
    inner: usize,
    columns: usize,
    data: Buffer,
}

impl Panels {
    fn empty(inner: usize, columns: usize) -> Self {
        let set = InstructionSet::current();
        let lanes = match set {
            InstructionSet::Avx512 => 16,
            InstructionSet::Avx2 => 8,
            InstructionSet::Scalar | InstructionSet::Neon => 4,
        };
        let data = Buffer::scratch(inner * columns.next_multiple_of(lanes));
        Self { set, lanes, inner, columns, data }
    }

    fn panel_width(&self) -> usize {
        2 * self.lanes
    }

    fn count(&self) -> usize {
        self.columns.div_ceil(self.panel_width())
    }

    /// The vectors of panel `panel`: two, or one when the last columns fit in one.
    fn vectors(&self, panel: usize) -> usize {
        (self.columns - panel * self.panel_width()).div_ceil(self.lanes).min(2)
    }

    fn panel(&self, panel: usize) -> &[f32] {
        let start = panel * self.panel_width() * self.inner;
        &self.data[start..start + self.inner * self.vectors(panel) * self.lanes]
    }

    /// Pack with `fill(first_column, columns, padded_width, panel)`, a panel a task.
    fn fill(mut self, fill: impl Fn(usize, usize, usize, &mut [f32]) + Sync + Send) -> Self {
        let (width, lanes, inner, columns) = (self.panel_width(), self.lanes, self.inner, self.columns);
        let (count, shared) = (self.count(), Shared::new(&mut self.data));
        let one = |panel: usize| {
            let first = panel * width;
            let real = width.min(columns - first);
            let padded = real.next_multiple_of(lanes);
            // SAFETY: panels are disjoint, and the last one ends where the buffer does.
            fill(first, real, padded, unsafe { shared.slice(first * inner, inner * padded) });
        };
        if inner * columns < 1 << 16 {
            (0..count).for_each(one)
        } else {
            parallel::for_each(count, one)
        }
        self
    }

    /// Pack B `[inner, columns]`, row-major.
    pub(crate) fn from_rows(b: &[f32], columns: usize) -> Self {
        Self::empty(b.len() / columns, columns).fill(|first, real, padded, panel| {
            for (row, packed) in b.chunks_exact(columns).zip(panel.chunks_exact_mut(padded)) {
                packed[..real].copy_from_slice(&row[first..first + real]);
                packed[real..].fill(0.0);
            }
        })
    }

    /// Pack the transposes of the given `[columns, depth]` blocks, one segment each.
    pub(crate) fn from_transposed(blocks: &[&[f32]], columns: usize, depth: usize) -> Self {
        Self::empty(blocks.len() * depth, columns).fill(|first, real, padded, panel| {
            for (block, packed) in blocks.iter().zip(panel.chunks_exact_mut(depth * padded)) {
                for column in 0..padded {
                    if column >= real {
                        packed[column..].iter_mut().step_by(padded).for_each(|x| *x = 0.0);
                        continue;
                    }
                    let source = &block[(first + column) * depth..][..depth];
                    packed[column..]
                        .iter_mut()
                        .step_by(padded)
                        .zip(source)
                        .for_each(|(x, &value)| *x = value);
                }
            }
        })
    }
}

/// One product: its shape and what happens to a finished sum.
pub(crate) struct Product<'a> {
    pub rows: usize,
    pub segments: usize,
    pub depth: usize,
    pub b: &'a Panels,
    /// Added to every row.
    pub bias: Option<&'a [f32]>,
    /// Add to what the output holds instead of replacing it.
    pub accumulate: bool,
}

/// Rows in a task: a multiple of every tile height (4, 6, 12, 14), large enough to reuse a panel of B.
const TASK_ROWS: usize = 84;
/// Tasks wanted at least, so that layers with few rows still keep several cores busy.
const WANTED_TASKS: usize = 8;

impl Product<'_> {
    /// Compute every row.
    ///
    /// # Safety
    /// `rows` must yield, for each row below `self.rows`, `segments` pointers to `depth` readable floats,
    /// and an output of `b.columns` floats that no other row shares and nobody else uses meanwhile.
    pub(crate) unsafe fn run<R: Rows>(&self, rows: &R) {
        assert_eq!(self.segments * self.depth, self.b.inner, "B has one row for each float of A's rows");
        let row_tasks = self.rows.div_ceil(TASK_ROWS);
        let panels = self.b.count();
        let small = self.rows * self.b.inner * self.b.columns < 1 << 17;
        let groups = if small { 1 } else { WANTED_TASKS.div_ceil(row_tasks.max(1)).clamp(1, panels) };
        let per_group = panels.div_ceil(groups);
        parallel::for_each(row_tasks * groups, |task| {
            let first = task / groups * TASK_ROWS;
            let from = (task % groups * per_group).min(panels);
            let count = TASK_ROWS.min(self.rows - first);
            let block = Block { product: self, rows, first, count, from, to: panels.min(from + per_group) };
            dispatch_on(self.b.set, block);
        });
    }
}

/// Some rows times some panels: a task.
struct Block<'a, R> {
    product: &'a Product<'a>,
    rows: &'a R,
    first: usize,
    count: usize,
    from: usize,
    to: usize,
}

impl<R: Rows> Job for Block<'_, R> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // The match is on a constant: each instruction set keeps one arm.
        // SAFETY: promised by the caller of `Product::run`.
        unsafe {
            match S::TILE_ROWS {
                6 => self.tiles::<S, 6>(),
                14 => self.tiles::<S, 14>(),
                12 => self.tiles::<S, 12>(),
                _ => self.tiles::<S, 4>(),
            }
        }
    }
}

impl<R: Rows> Block<'_, R> {
    #[inline(always)]
    unsafe fn tiles<S: Simd, const M: usize>(self) {
        let (product, segments) = (self.product, self.product.segments);
        let tiles = self.count.div_ceil(M);
        let mut table = vec![std::ptr::null(); tiles * segments * M];
        // A class of pixels that no tap reaches has no segments: its sums are zero.
        for slot in 0..if segments == 0 { 0 } else { tiles * M } {
            // Rows past the end read the last row again and are not written.
            let row = self.first + slot.min(self.count - 1);
            self.rows.inputs(row, &mut table[slot / M * segments * M + slot % M..], M);
        }
        for panel in self.from..self.to {
            let b = product.b.panel(panel).as_ptr();
            for tile in 0..tiles {
                let pointers = table[tile * segments * M..].as_ptr();
                // SAFETY: promised by the caller of `Product::run`; the panel has `inner` rows.
                unsafe {
                    if product.b.vectors(panel) == 2 {
                        let sums = sums::<S, M, 2>(pointers, segments, product.depth, b);
                        self.finish::<S, M, 2>(tile * M, panel, &sums);
                    } else {
                        let sums = sums::<S, M, 1>(pointers, segments, product.depth, b);
                        self.finish::<S, M, 1>(tile * M, panel, &sums);
                    }
                }
            }
        }
    }

    /// Add the bias and write a tile.
    #[inline(always)]
    unsafe fn finish<S: Simd, const M: usize, const V: usize>(
        &self,
        tile_row: usize,
        panel: usize,
        sums: &[[S::Vector; V]; M],
    ) {
        let product = self.product;
        let column = panel * product.b.panel_width();
        let real = (product.b.columns - column).min(V * S::LANES);
        for (row, sums) in sums.iter().enumerate().take(self.count - tile_row) {
            // SAFETY: `real` floats from `column` on belong to this row's output, bias likewise; whole
            // vectors are only used when all their lanes are real.
            unsafe {
                let out = self.rows.output(self.first + tile_row + row).add(column);
                if real == V * S::LANES {
                    for (v, &sum) in sums.iter().enumerate() {
                        let place = out.add(v * S::LANES);
                        let mut sum = sum;
                        if let Some(bias) = product.bias {
                            sum = S::add(sum, S::load(bias.as_ptr().add(column + v * S::LANES)));
                        }
                        if product.accumulate {
                            sum = S::add(sum, S::load(place));
                        }
                        S::store(place, sum);
                    }
                } else {
                    let mut whole = [0.0_f32; 32];
                    for (v, &sum) in sums.iter().enumerate() {
                        S::store(whole.as_mut_ptr().add(v * S::LANES), sum);
                    }
                    for (lane, &sum) in whole.iter().enumerate().take(real) {
                        let bias = product.bias.map_or(0.0, |bias| bias[column + lane]);
                        let before = if product.accumulate { *out.add(lane) } else { 0.0 };
                        *out.add(lane) = sum + bias + before;
                    }
                }
            }
        }
    }
}

/// The sums of a tile of `M` rows × `V` vectors, all in registers.
///
/// # Safety
/// `table` holds `segments · M` pointers to `depth` readable floats; `b` holds `segments · depth · V`
/// vectors.
#[inline(always)]
unsafe fn sums<S: Simd, const M: usize, const V: usize>(
    table: *const *const f32,
    segments: usize,
    depth: usize,
    mut b: *const f32,
) -> [[S::Vector; V]; M] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut sums = [[S::splat(0.0); V]; M];
        for segment in 0..segments {
            let mut rows = [std::ptr::null::<f32>(); M];
            for (row, pointer) in rows.iter_mut().enumerate() {
                *pointer = *table.add(segment * M + row);
            }
            for k in 0..depth {
                let mut columns = [S::splat(0.0); V];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = S::load(b.add(v * S::LANES));
                }
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let a = S::splat(*row.add(k));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = S::multiply_add(a, column, *sum);
                    }
                }
                b = b.add(V * S::LANES);
            }
        }
        sums
    }
}
