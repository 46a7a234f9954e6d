//! Where the left operand of a product lies.

/// Where the rows of a product lie.
pub(crate) trait Rows<E>: Sync {
    /// Write where the segments of `count` rows begin, from row `first` on, to a table `[tiles][segments][tile]`, of which a
    /// tile has so many rows.
    fn inputs(&self, first: usize, count: usize, table: &mut [*const E], tile: usize);
    /// Numbers from any row to the next, where rows are of one segment and follow each other.
    fn step(&self) -> Option<usize>;
    /// Where the result of `row` begins in the output.
    fn output(&self, row: usize) -> usize;
}

/// The place of a row's first segment in such a table.
#[inline]
pub(crate) fn place(row: usize, segments: usize, tile: usize) -> usize {
    row / tile * segments * tile + row % tile
}
