//! The shape of a convolution, and where its gradients go.

use crate::epilogue::Store;
use wellfit_simd::Element;

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// By Winograd's method where it is faster, by direct sums elsewhere.
    #[default]
    Fastest,
    /// Always by direct sums, which round a little less.
    Direct,
}

/// A convolution: its shape, with a square kernel, equal stride and zero padding on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Images in the batch.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Kernel size k of k×k.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding.
    pub padding: usize,
    /// How it is computed.
    pub algorithm: Algorithm,
}

impl Conv {
    /// A linear layer over `batch` rows, a plain product whatever the algorithm.
    #[must_use]
    pub fn linear(batch: usize, features_in: usize, features_out: usize) -> Self {
        Self {
            batch,
            height: 1,
            width: 1,
            channels_in: features_in,
            channels_out: features_out,
            kernel: 1,
            stride: 1,
            padding: 0,
            algorithm: Algorithm::Fastest,
        }
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

    /// Numbers in the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.channels_in
    }

    /// Numbers in the weights.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.kernel * self.kernel * self.channels_in * self.channels_out
    }

    /// Numbers in the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.rows() * self.channels_out
    }

    /// Pixels in the output.
    pub(super) fn rows(&self) -> usize {
        self.batch * self.out_height() * self.out_width()
    }
}

/// Where the gradient of an input goes.
#[derive(Debug)]
pub struct Destination<'a, E: Element = f32> {
    /// In the input's shape.
    pub dx: &'a mut [E],
    /// Add it to what is there.
    pub accumulate: bool,
    /// The input, where a ReLU made it: what is written is the gradient of the ReLU's own input, 0 where this is not
    /// positive.
    pub passed: Option<&'a [E]>,
}

impl<'a, E: Element> Destination<'a, E> {
    /// Write over whatever `dx` holds.
    pub fn new(dx: &'a mut [E]) -> Self {
        Self { dx, accumulate: false, passed: None }
    }

    /// How sums are written there, or added to what is there, where the gradient passes.
    pub(super) fn store(&mut self) -> Store<'static, E> {
        let out = self.dx.as_mut_ptr();
        Store {
            addend: if self.accumulate { out } else { std::ptr::null() },
            passed: self.passed.map_or(std::ptr::null(), <[E]>::as_ptr),
            ..Store::plain(out)
        }
    }

    /// # Panics
    /// When a slice has another length than the input.
    pub(super) fn check(&self, conv: &Conv) {
        let passed = self.passed.map_or(self.dx.len(), <[E]>::len);
        assert_eq!([self.dx.len(), passed], [conv.input_len(); 2], "dx of {conv:?}");
    }
}
