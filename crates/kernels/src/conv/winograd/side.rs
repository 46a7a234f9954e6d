//! The images that are read, or those that are written.

/// One side of a convolution: the images that are read, or those that are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub height: usize,
    pub width: usize,
    /// Floats of a pixel, in whole vectors, and how many of them are channels.
    pub pixel: usize,
    pub channels: usize,
    /// Lines of pixels from one line of a phase to the next, and columns.
    pub step: usize,
    /// The line of pixels that is a phase's first, and the column: of the outer taps' phase, and of the inner tap's.
    pub shift: [isize; 2],
    /// One, or four: outer-outer, outer-inner (line-column), inner-outer, inner-inner.
    pub phases: usize,
}
