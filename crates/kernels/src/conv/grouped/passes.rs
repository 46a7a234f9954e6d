//! The three passes of a grouped convolution.

use super::shape::GroupedConv;
use super::slab::Slabs;
use super::{direct, each, gradient};
use crate::conv::shape::Destination;
use wellfit_simd::{Buffer, Element};

impl GroupedConv {
    /// y = x ⊛ w. `x` `[N, H, W, G·C_in]`, `w` `[G, k, k, C_in, C_out]`; gives `[N, H', W', G·C_out]`.
    ///
    /// # Panics
    /// When a length is not that of the shape; so for every function here.
    #[must_use]
    pub fn forward<E: Element>(&self, x: &[E], w: &[f32]) -> Buffer<E> {
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
        match Slabs::new(self) {
            Some(slabs) => direct::forward(self, slabs, x, w),
            None => each::forward(self, x, w),
        }
    }

    /// The gradient of the weights, `[G, k, k, C_in, C_out]`, from `x` and `dy` `[N, H', W', G·C_out]`.
    #[must_use]
    pub fn weight_gradient<E: Element>(&self, x: &[E], dy: &[E]) -> Buffer {
        assert_eq!((x.len(), dy.len()), (self.input_len(), self.output_len()), "x and dy of {self:?}");
        match Slabs::new(self) {
            Some(slabs) => gradient::weights(self, slabs, x, dy),
            None => each::weight_gradient(self, x, dy),
        }
    }

    /// The gradient of the input from `dy`, to its [`Destination`].
    pub fn data_gradient<E: Element>(&self, dy: &[E], w: &[f32], to: Destination<'_, E>) {
        assert_eq!((dy.len(), w.len()), (self.output_len(), self.weight_len()), "dy and w of {self:?}");
        let from = to.passed.map_or(to.dx.len(), <[E]>::len);
        assert_eq!([to.dx.len(), from], [self.input_len(); 2], "dx of {self:?}");
        match Slabs::new(self) {
            Some(slabs) => direct::data_gradient(self, slabs, dy, w, to),
            None => each::data_gradient(self, dy, w, to),
        }
    }
}
