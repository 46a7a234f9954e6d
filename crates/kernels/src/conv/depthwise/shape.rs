//! The shape of a depth-wise convolution, and how it is cut into bands.

use wellfit_simd::Element;

/// The fewest channels: the widest vector, so that a last, narrower group can be computed as a whole vector that
/// overlaps the one before it.
pub(super) const FEWEST_CHANNELS: usize = 16;
/// Floats of a band of lines: with what it reads it stays in a second-level cache.
const BAND: usize = 1 << 16;

/// A depth-wise convolution: y = x ⊛ w for each channel by itself, with square windows and equal stride and zero
/// padding on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthwiseConv {
    /// Images in the batch.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Channels, of the input and of the output.
    pub channels: usize,
    /// Kernel size k of k×k.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding.
    pub padding: usize,
}

impl DepthwiseConv {
    /// Whether there is a kernel for such a shape: 16 channels or more, 3×3 or 5×5, stride 1 or 2.
    #[must_use]
    pub fn suits(channels: usize, kernel: usize, stride: usize, padding: usize) -> bool {
        channels >= FEWEST_CHANNELS && matches!(kernel, 3 | 5) && matches!(stride, 1 | 2) && padding < kernel
    }

    /// Output height: ⌊(H + 2p − k) / s⌋ + 1.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output width.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Floats in the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.channels
    }

    /// Floats in the weights.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Floats in the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    pub(super) fn check<E: Element>(&self, x: &[E], w: &[f32]) {
        assert!(Self::suits(self.channels, self.kernel, self.stride, self.padding), "no kernel for {self:?}");
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
    }

    /// Lines of a band, of a side with so many columns.
    pub(super) fn band(&self, wide: usize) -> usize {
        (BAND / (wide * self.channels)).max(1)
    }

    /// Bands of an image.
    pub(super) fn bands(&self, high: usize, wide: usize) -> usize {
        high.div_ceil(self.band(wide))
    }
}
