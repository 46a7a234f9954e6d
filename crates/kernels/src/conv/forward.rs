//! The forward pass.

use super::patches::Patches;
use super::shape::Conv;
use super::winograd::{self, Direction};
use crate::epilogue::{Epilogue, Store, past_caches};
use crate::norm::{BlockMoments, Statistics};
use crate::product::{Panels, Product, task_rows};
use wellfit_simd::{Buffer, Element};

impl Conv {
    /// y = x ⊛ w + bias. `x` `[N, H, W, C_in]`, `w` `[k, k, C_in, C_out]`, bias `[C_out]`; gives
    /// `[N, H', W', C_out]`.
    ///
    /// # Panics
    /// When a length is not that of the shape; so for every function here.
    #[must_use]
    pub fn forward<E: Element>(&self, x: &[E], w: &[f32], bias: Option<&[f32]>) -> Buffer<E> {
        self.forward_with(x, w, Epilogue { bias, ..Epilogue::default() })
    }

    /// The same with a whole [`Epilogue`]: y = relu(scale·(x ⊛ w) + bias + residual). With BatchNorm's running
    /// statistics as scale and bias, the normalisation is folded into the convolution.
    #[must_use]
    pub fn forward_with<E: Element>(&self, x: &[E], w: &[f32], epilogue: Epilogue<'_, E>) -> Buffer<E> {
        self.run(x, w, epilogue, false).0
    }

    /// The same as [`Conv::forward`], with mean and biased variance of each output channel.
    #[must_use]
    pub fn forward_with_statistics<E: Element>(
        &self,
        x: &[E],
        w: &[f32],
        bias: Option<&[f32]>,
    ) -> (Buffer<E>, Statistics) {
        let (y, moments) = self.run(x, w, Epilogue { bias, ..Epilogue::default() }, true);
        (y, moments.statistics())
    }

    fn run<E: Element>(
        &self,
        x: &[E],
        w: &[f32],
        epilogue: Epilogue<'_, E>,
        moments: bool,
    ) -> (Buffer<E>, BlockMoments) {
        assert_eq!((x.len(), w.len()), (self.input_len(), self.weight_len()), "x and w of {self:?}");
        let per_channel = [epilogue.scale, epilogue.bias].into_iter().flatten();
        assert!(per_channel.into_iter().all(|b| b.len() == self.channels_out), "scale and bias of {self:?}");
        assert!(epilogue.residual.is_none_or(|r| r.len() == self.output_len()), "residual of {self:?}");
        let mut y = Buffer::scratch(self.output_len());
        let past_caches = past_caches::<E>(self.output_len(), self.channels_out);
        let store = Store { past_caches, ..Store::new(y.as_mut_ptr(), epilogue) };
        if winograd::suits::<E>(self, Direction::Forward) {
            // SAFETY: y and the residual have the output's shape, as checked above.
            let moments = unsafe { winograd::forward(self, x, w, store, moments) };
            return (y, moments);
        }
        let patches = Patches::new(self, x);
        let b = Panels::from_rows(w, patches.run, self.channels_out);
        let (segments, depth) = (patches.segments(), patches.depth);
        let block_moments = if moments {
            BlockMoments::even(self.channels_out, self.rows(), task_rows::<E>())
        } else {
            BlockMoments::none()
        };
        let store = Store { moments: moments.then_some(&block_moments), ..store };
        let product = Product { rows: self.rows(), segments, depth, b: &b, store };
        // SAFETY: patches point into x, its padded copy or zeros, with `depth` numbers each; outputs are
        // the rows of y.
        unsafe { product.run(&patches) };
        (y, block_moments)
    }
}
