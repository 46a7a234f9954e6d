//! The gradient of a normalisation's input.

use super::coefficients::Coefficients;
use super::swish;
use crate::activation::Swish;
use crate::both::for_both;
use crate::elementwise::widen;
use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{Kernel, Simd};
use wellfit_simd::{Buffer, Element};

/// The gradient of a normalisation's input, as a line in `dy` and `x` for each channel.
#[derive(Debug)]
pub struct InputGradient {
    coefficients: Coefficients,
    /// Scale and shift of the ReLU's input, which decides where `dy` passes; none where `dy` is masked already.
    mask: Option<(Vec<f32>, Vec<f32>)>,
    /// The activation of that input, where it is no ReLU.
    swish: Option<Swish>,
}

impl InputGradient {
    /// `mask` is repeated as [`widen`] does.
    pub(super) fn new(
        coefficients: &Coefficients,
        mask: Option<(Vec<f32>, Vec<f32>)>,
        swish: Option<Swish>,
    ) -> Self {
        let Coefficients { of_g, of_x, constant } = coefficients;
        let coefficients = Coefficients { of_g: widen(of_g), of_x: widen(of_x), constant: widen(constant) };
        Self { coefficients, mask, swish }
    }

    /// Write it over `dy`, the one that [`backward`](super::backward()) saw, which saw this `x`.
    #[must_use]
    pub fn over<E: Element>(&self, mut dy: Buffer<E>, x: &[E]) -> Buffer<E> {
        row_blocks(&mut dy, 1, self.block(), |first, out| {
            let (bytes, watch) = (3 * size_of_val(out), Watch::start());
            let x = &x[first..first + out.len()];
            if let (Some(swish), Some((scale, shift))) = (self.swish, &self.mask) {
                swish::combine(swish, out, x, &self.coefficients, (scale, shift));
                return watch.pass(bytes);
            }
            let dy = out.as_ptr();
            write_gradient(GradientTask { gradient: self, dy, x, out });
            watch.pass(bytes);
        });
        dy
    }

    /// Write it to a buffer of its own: `dy` is the gradient of a residual too (see [`backward`](super::backward())).
    #[must_use]
    pub fn beside<E: Element>(&self, dy: &[E], x: &[E]) -> Buffer<E> {
        assert!(self.is_line(), "no smooth activation behind a residual");
        assert_eq!(dy.len(), x.len(), "a gradient for each number");
        let mut dx = Buffer::scratch(x.len());
        row_blocks(&mut dx, 1, self.block(), |first, out| {
            let (dy, x) = (dy[first..].as_ptr(), &x[first..first + out.len()]);
            let (bytes, watch) = (3 * size_of_val(out), Watch::start());
            write_gradient(GradientTask { gradient: self, dy, x, out });
            watch.pass(bytes);
        });
        dx
    }

    fn width(&self) -> usize {
        self.coefficients.of_g.len()
    }

    fn block(&self) -> usize {
        rows_in_cache(self.width()) * self.width()
    }

    /// Whether it is a line in `dy` and `x`, so that [`Self::vector`] gives it: no smooth activation is behind the
    /// normalisation.
    pub(crate) fn is_line(&self) -> bool {
        self.swish.is_none()
    }

    /// One vector of it, from those of `dy` and `x`.
    ///
    /// # Safety
    /// There must be a whole vector of channels from `column` on, and the machine must have `S`.
    #[inline(always)]
    pub(crate) unsafe fn vector<S: Simd>(&self, column: usize, dy: S::Vector, x: S::Vector) -> S::Vector {
        // SAFETY: promised by the caller.
        unsafe {
            let at = |values: &[f32]| S::load(values.as_ptr().add(column));
            let g = match &self.mask {
                None => dy,
                Some((scale, shift)) => S::where_positive(S::add(S::multiply(x, at(scale)), at(shift)), dy),
            };
            let Coefficients { of_g, of_x, constant } = &self.coefficients;
            S::add(S::multiply(at(of_g), g), S::add(S::multiply(at(of_x), x), at(constant)))
        }
    }

    /// One number of it.
    #[inline(always)]
    fn number(&self, column: usize, dy: f32, x: f32) -> f32 {
        let passes = |(scale, shift): &(Vec<f32>, Vec<f32>)| x * scale[column] + shift[column] > 0.0;
        let g = if self.mask.as_ref().is_none_or(passes) { dy } else { 0.0 };
        let Coefficients { of_g, of_x, constant } = &self.coefficients;
        of_g[column] * g + (of_x[column] * x + constant[column])
    }
}

/// A block of rows; `dy` may be where `out` is.
pub(crate) struct GradientTask<'a, E> {
    gradient: &'a InputGradient,
    dy: *const E,
    x: &'a [E],
    out: &'a mut [E],
}

for_both! { write_gradient(task: GradientTask) E::dispatch(task) }

impl<E: Element> Kernel for GradientTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { gradient, dy, x, out } = self;
        let (width, out) = (gradient.width(), out.as_mut_ptr());
        for start in (0..x.len()).step_by(width) {
            let count = width.min(x.len() - start);
            let whole = count / S::LANES * S::LANES;
            // SAFETY: all three have the length of x; a number is read before its place is written.
            unsafe {
                for column in (0..whole).step_by(S::LANES) {
                    let i = start + column;
                    let (dy, x) = (E::load::<S>(dy.add(i)), E::load::<S>(x.as_ptr().add(i)));
                    E::store::<S>(out.add(i), gradient.vector::<S>(column, dy, x));
                }
                for column in whole..count {
                    let i = start + column;
                    let found = gradient.number(column, (*dy.add(i)).to_f32(), x[i].to_f32());
                    *out.add(i) = E::from_f32(found);
                }
            }
        }
    }
}
