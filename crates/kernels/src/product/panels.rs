//! The right operand of a product, packed for the inner loop.

use std::marker::PhantomData;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{self, Shared};
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{Element, InstructionSet};

/// B, cut into panels as wide as a register tile so that the inner loop reads it front to back. It is rounded to `E`; a
/// lane holds as many numbers of a column as fit, and rows are counted in lanes.
pub(crate) struct Panels<E> {
    pub set: InstructionSet,
    lanes: usize,
    pub inner: usize,
    pub columns: usize,
    data: Buffer,
    numbers: PhantomData<E>,
}

impl<E: Element> Panels<E> {
    pub(crate) fn empty(inner: usize, columns: usize) -> Self {
        let set = InstructionSet::current();
        let lanes = set.lanes();
        let data = Buffer::scratch(inner * columns.next_multiple_of(lanes));
        Self { set, lanes, inner, columns, data, numbers: PhantomData }
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

    /// Pack B, row-major with `columns`; its rows are those of runs of `depth`, whose last lanes are filled up with zeros.
    pub(crate) fn from_rows(b: &[f32], depth: usize, columns: usize) -> Self {
        let runs = b.len() / columns / depth;
        let lanes = depth.div_ceil(E::PER_LANE);
        Self::empty(runs * lanes, columns).fill(Work::Packing, |first, real, padded, panel| {
            for (run, packed) in b.chunks_exact(depth * columns).zip(panel.chunks_exact_mut(lanes * padded)) {
                let rows = run.chunks(E::PER_LANE * columns).zip(packed.chunks_exact_mut(padded));
                for (rows, packed) in rows {
                    let second = rows.get(columns..).filter(|second| !second.is_empty());
                    pack_row::<E>(&rows[first..first + real], second.map(|row| &row[first..]), packed);
                }
            }
        })
    }

    /// Pack the transposes of the given `[columns, depth]` blocks, one run each.
    pub(crate) fn from_transposed(blocks: &[&[f32]], columns: usize, depth: usize) -> Self {
        let lanes = depth.div_ceil(E::PER_LANE);
        Self::empty(blocks.len() * lanes, columns).fill(Work::Packing, |first, real, padded, panel| {
            for (block, packed) in blocks.iter().zip(panel.chunks_exact_mut(lanes * padded)) {
                for column in 0..padded {
                    let places = packed[column..].iter_mut().step_by(padded);
                    if column >= real {
                        places.for_each(|x| *x = 0.0);
                        continue;
                    }
                    let source = &block[(first + column) * depth..][..depth];
                    for (place, values) in places.zip(source.chunks(E::PER_LANE)) {
                        let second = values.get(1).copied().unwrap_or_default();
                        *place = E::lane(E::from_f32(values[0]), E::from_f32(second));
                    }
                }
            }
        })
    }
}

/// One row of lanes, from one row of numbers or two; zeros follow.
fn pack_row<E: Element>(first: &[f32], second: Option<&[f32]>, packed: &mut [f32]) {
    packed[first.len()..].fill(0.0);
    let Some(second) = second else {
        let rows = packed.iter_mut().zip(first);
        return rows.for_each(|(x, &value)| *x = E::lane(E::from_f32(value), E::default()));
    };
    let rows = packed.iter_mut().zip(first.iter().zip(second));
    rows.for_each(|(x, (&one, &two))| *x = E::lane(E::from_f32(one), E::from_f32(two)));
}
