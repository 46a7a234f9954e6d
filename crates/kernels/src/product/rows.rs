//! Where the left operand of a product lies.

/// Where the rows of a product lie.
pub(crate) trait Rows<E>: Sync {
    /// Write the start of segment `s` of row `first + i` to `table[place(i) + s·stride]`, for every `i`
    /// below `count`.
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const E],
        place: impl Fn(usize) -> usize,
        stride: usize,
    );
    /// Numbers from any row to the next, where rows are of one segment and follow each other.
    fn step(&self) -> Option<usize>;
    /// Where the result of `row` begins in the output.
    fn output(&self, row: usize) -> usize;
}
