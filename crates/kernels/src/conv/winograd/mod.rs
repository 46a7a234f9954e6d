//! Convolutions by minimal filtering: a 4×4 square of outputs of a filter with r×r taps takes (r + 3)² multiplications
//! a pair of channels, F(4×4, r×r), where the direct sum takes 16·r² (Winograd 1980; Lavin & Gray 2016).
//!
//! Inputs, weights and outputs are carried to interpolation points; at each point the convolution is a plain product
//! over channels. The data gradient is the same with the weights turned round; the weight gradient is the adjoint, a
//! sum of outer products at each point.
//!
//! At stride 2 the pixels fall into four phases, by the parity of line and column, and a phase meets the taps of one
//! parity only: it is a convolution at stride 1, and the output is the sum over phases. Of 3 taps along an axis
//! the outer two make the first phase, the inner one the second. All phases share the points of F(4, 2); at infinity a
//! single tap is zero, which leaves 81 multiplications of 144.
//!
//! In f32 the error is about twice the direct sum's, five times for the stem, whose sums are short (`points` has the
//! figures). [`Algorithm::Direct`](super::Algorithm::Direct) turns all of this off.

mod choice;
mod convolve;
mod entry;
mod gradient;
mod phases;
mod plan;
mod points;
mod side;
mod stem;
mod transform;
mod weights;

pub(crate) use choice::{Direction, suits};
pub(crate) use entry::{data_gradient, forward, weight_gradient};
