//! The right operand of a product, packed for the inner loop.

use wellfit_simd::Buffer;
use wellfit_simd::parallel::{self, Shared};
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::InstructionSet;

/// B, cut into panels as wide as a register tile so that the inner loop reads it front to back.
pub(crate) struct Panels {
    pub set: InstructionSet,
    lanes: usize,
    pub inner: usize,
    pub columns: usize,
    data: Buffer,
}

impl Panels {
    pub(crate) fn empty(inner: usize, columns: usize) -> Self {
        let set = InstructionSet::current();
        let lanes = set.lanes();
        let data = Buffer::scratch(inner * columns.next_multiple_of(lanes));
        Self { set, lanes, inner, columns, data }
    }

    pub(crate) fn panel_width(&self) -> usize {
        self.set.tile_vectors() * self.lanes
    }

    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.panel_width())
    }

    /// The vectors of panel `panel`: a tile's, or fewer when the last columns fit in them.
    pub(crate) fn vectors(&self, panel: usize) -> usize {
        (self.columns - panel * self.panel_width()).div_ceil(self.lanes).min(self.set.tile_vectors())
    }

    pub(crate) fn panel(&self, panel: usize) -> &[f32] {
        let start = panel * self.panel_width() * self.inner;
        &self.data[start..start + self.inner * self.vectors(panel) * self.lanes]
    }

    /// Pack with `fill(first_column, columns, padded_width, panel)`, a panel a task; `kind` is for the profile.
    pub(crate) fn fill(
        mut self,
        kind: Work,
        fill: impl Fn(usize, usize, usize, &mut [f32]) + Sync + Send,
    ) -> Self {
        let (width, lanes, inner, columns) = (self.panel_width(), self.lanes, self.inner, self.columns);
        let (count, shared) = (self.count(), Shared::new(&mut self.data));
        let one = |panel: usize| {
            let first = panel * width;
            let real = width.min(columns - first);
            let padded = real.next_multiple_of(lanes);
            let watch = Watch::start();
            // SAFETY: panels are disjoint, and the last one ends where the buffer does.
            fill(first, real, padded, unsafe { shared.slice(first * inner, inner * padded) });
            watch.stop(kind);
        };
        if inner * columns < 1 << 16 {
            parallel::for_each(1, |_| (0..count).for_each(one));
        } else {
            parallel::for_each(count, one);
        }
        self
    }

    /// Pack B `[inner, columns]`, row-major.
    pub(crate) fn from_rows(b: &[f32], columns: usize) -> Self {
        Self::empty(b.len() / columns, columns).fill(Work::Packing, |first, real, padded, panel| {
            for (row, packed) in b.chunks_exact(columns).zip(panel.chunks_exact_mut(padded)) {
                packed[..real].copy_from_slice(&row[first..first + real]);
                packed[real..].fill(0.0);
            }
        })
    }

    /// Pack the transposes of the given `[columns, depth]` blocks, one segment each.
    pub(crate) fn from_transposed(blocks: &[&[f32]], columns: usize, depth: usize) -> Self {
        Self::empty(blocks.len() * depth, columns).fill(Work::Packing, |first, real, padded, panel| {
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
