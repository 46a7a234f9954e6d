//! The gradients of weights and input.

use super::classes::Class;
use super::patches::{Patches, whole_lanes};
use super::shape::{Conv, Destination};
use super::winograd::{self, Direction};
use crate::norm::InputGradient;
use crate::product::{CHANNELS, Joint, Outer, Panels, Product, SMALL};
use wellfit_simd::{Buffer, Element};

impl Conv {
    /// The gradient of the weights, `[k, k, C_in, C_out]`, from `x` and `dy` `[N, H', W', C_out]`.
    #[must_use]
    pub fn weight_gradient<E: Element>(&self, x: &[E], dy: &[E]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        if winograd::suits::<E>(self, Direction::WeightGradient) {
            return winograd::weight_gradient(self, x, dy);
        }
        let patches = Patches::new(self, x);
        let outer = Outer {
            rows: self.rows(),
            segments: patches.segments(),
            depth: patches.run,
            columns: self.channels_out,
            dy,
        };
        // SAFETY: as in `forward`.
        unsafe { outer.run(&patches) }
    }

    /// The gradient of the input from `dy`, to its [`Destination`].
    ///
    /// With stride s the input pixels fall into s×s classes by their position modulo s; each class sees
    /// its own subset of the taps, so no product with a zero is computed.
    pub fn data_gradient<E: Element>(&self, dy: &[E], w: &[f32], mut to: Destination<'_, E>) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        to.check(self);
        let store = to.store();
        if winograd::suits::<E>(self, Direction::DataGradient) {
            // SAFETY: the output is dx.
            unsafe { winograd::data_gradient(self, dy, w, store) };
            return;
        }
        let (dy, depth) = whole_lanes(dy, self.channels_out);
        let zeros = Buffer::zeroed(depth);
        for phase_y in 0..self.stride.min(self.height) {
            for phase_x in 0..self.stride.min(self.width) {
                let class = Class::new(self, (phase_y, phase_x), (&dy, depth), &zeros);
                let taps = class.taps_y.len() * class.taps_x.len();
                if taps == 0 && to.accumulate && to.passed.is_none() {
                    continue; // nothing changes there
                }
                let block = self.channels_in * self.channels_out;
                let taps_y = class.taps_y.iter();
                let blocks: Vec<&[f32]> = taps_y
                    .flat_map(|y| class.taps_x.iter().map(move |x| (y * self.kernel + x) * block))
                    .map(|start| &w[start..start + block])
                    .collect();
                let b = Panels::from_transposed(&blocks, self.channels_in, self.channels_out);
                let rows = class.rows();
                let product = Product { rows, segments: taps, depth, b: &b, store };
                // SAFETY: taps point at pixels of dy or at zeros, `depth` numbers each; outputs are
                // the pixels of this class in dx.
                unsafe { product.run(&class) };
            }
        }
    }
}

/// The gradient of a normalisation's output `dy`, and how that of its input `y` follows from it.
#[derive(Debug, Clone, Copy)]
pub struct BehindNorm<'a, E> {
    /// The normalisation's input: the convolution's output.
    pub y: &'a [E],
    /// The gradient, as [`norm::backward`](crate::norm::backward) left it.
    pub dy: &'a [E],
    /// What it found.
    pub gradient: &'a InputGradient,
}

impl Conv {
    /// Whether [`Conv::gradients`] may be asked for: at 1×1 with stride 1, whole vectors of channels, and few enough
    /// of them that a thread's sums stay in its cache.
    #[must_use]
    pub fn joins_norm(&self) -> bool {
        let channels = |count: usize| count.is_multiple_of(CHANNELS);
        (self.kernel, self.stride, self.padding) == (1, 1, 0)
            && channels(self.channels_in)
            && channels(self.channels_out)
            && self.weight_len() <= SMALL
    }

    /// The gradients of weights and input together, past the normalisation behind the convolution: that of the weights
    /// is returned, that of the input goes to its [`Destination`]. The gradient of the convolution's own output is
    /// never written.
    ///
    /// # Panics
    /// When the shape does not suit ([`Conv::joins_norm`]), or a slice has another length than its shape.
    #[must_use]
    pub fn gradients<E: Element>(
        &self,
        x: &[E],
        w: &[f32],
        behind: BehindNorm<'_, E>,
        mut to: Destination<'_, E>,
    ) -> Buffer {
        assert!(self.joins_norm() && behind.gradient.is_line(), "{self:?} has no joint gradients");
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "{self:?}");
        to.check(self);
        assert_eq!([behind.y.len(), behind.dy.len()], [self.output_len(); 2], "y and dy of {self:?}");
        let joint = Joint {
            rows: self.rows(),
            x,
            channels_in: self.channels_in,
            weights: &Panels::from_transposed(&[w], self.channels_in, self.channels_out),
            y: behind.y,
            dy: behind.dy,
            channels_out: self.channels_out,
            gradient: behind.gradient,
            store: to.store(),
        };
        // SAFETY: dx has the length of x and is borrowed for the whole call.
        unsafe { joint.run() }
    }
}
