//! Weights, packed for the inner loop.

use super::path::Path;
use wellfit_simd::Buffer;

/// The shape of a layer's weights as a matrix: rows fall into `segments` of `depth`, a run of codes of the input each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Matrix {
    pub segments: usize,
    pub depth: usize,
    pub columns: usize,
}

impl Matrix {
    /// Groups of four rows in a segment; the last one is filled up with zeros.
    pub fn groups(self) -> usize {
        self.depth.div_ceil(4)
    }
}

/// Weights in panels as wide as a register tile, `[panel][segment][group][column][4]`.
#[derive(Debug)]
pub(super) struct Panels {
    pub path: Path,
    pub matrix: Matrix,
    /// As floats, for memory on a cache line; never used as such.
    data: Buffer,
    /// Σ of each column, with zeros up to a whole panel.
    pub sums: Vec<i32>,
}

impl Panels {
    /// Pack `weights` `[segments · depth, columns]`.
    pub fn new(path: Path, matrix: Matrix, weights: &[i8]) -> Self {
        let width = path.panel_width();
        let padded = matrix.columns.next_multiple_of(path.lanes());
        let mut panels = Self {
            path,
            matrix,
            data: Buffer::zeroed(matrix.segments * matrix.groups() * padded),
            sums: vec![0; matrix.columns.next_multiple_of(width)],
        };
        let places = panels.places();
        // SAFETY: any four bytes are a float, and the buffer has one for each group of each column.
        let data = unsafe {
            std::slice::from_raw_parts_mut(panels.data.as_mut_ptr().cast::<i8>(), 4 * panels.data.len())
        };
        for (row, weights) in weights.chunks_exact(matrix.columns).enumerate() {
            for (column, &weight) in weights.iter().enumerate() {
                data[places.of(row, column)] = weight;
                panels.sums[column] += i32::from(weight);
            }
        }
        panels
    }

    /// The weights as they were given.
    pub fn weights(&self) -> Vec<i8> {
        let Matrix { segments, depth, columns } = self.matrix;
        let (places, data) = (self.places(), self.bytes());
        let row = |row: usize| (0..columns).map(move |column| data[places.of(row, column)]);
        (0..segments * depth).flat_map(row).collect()
    }

    pub fn count(&self) -> usize {
        self.matrix.columns.div_ceil(self.path.panel_width())
    }

    /// The vectors of panel `panel`: a tile's, or fewer when the last columns fit in them.
    pub fn vectors(&self, panel: usize) -> usize {
        self.places().width(panel) / self.path.lanes()
    }

    /// Where panel `panel` begins.
    pub fn panel(&self, panel: usize) -> *const i8 {
        self.bytes()[self.places().start(panel)..].as_ptr()
    }

    fn bytes(&self) -> &[i8] {
        // SAFETY: the buffer's floats are initialised, and any byte is a weight.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr().cast(), 4 * self.data.len()) }
    }

    fn places(&self) -> Places {
        Places { matrix: self.matrix, lanes: self.path.lanes(), width: self.path.panel_width() }
    }
}

/// Where a weight lies.
#[derive(Clone, Copy)]
struct Places {
    matrix: Matrix,
    lanes: usize,
    width: usize,
}

impl Places {
    /// Columns of a panel: a tile's, or what is left in whole vectors.
    fn width(self, panel: usize) -> usize {
        (self.matrix.columns - panel * self.width).next_multiple_of(self.lanes).min(self.width)
    }

    fn start(self, panel: usize) -> usize {
        panel * self.width * self.matrix.segments * self.matrix.groups() * 4
    }

    fn of(self, row: usize, column: usize) -> usize {
        let (segment, k) = (row / self.matrix.depth, row % self.matrix.depth);
        let panel = column / self.width;
        let group = segment * self.matrix.groups() + k / 4;
        self.start(panel) + (group * self.width(panel) + column % self.width) * 4 + k % 4
    }
}
