//! Clipping and the optimiser's rules on tensors: the equations of `wellfit_kernels::optim`, in its order.

use crate::link::Link;
use burn_tensor::Tensor;
use burn_tensor::backend::Backend;
use wellfit_kernels::optim::{self, AdamScalars, Scalars, SgdScalars};
use wellfit_models::Network;

/// Move `weights` by one step. `moments` has as many tensors as the rule needs.
pub(crate) fn update<B: Backend>(
    scalars: Scalars,
    weights: &mut Tensor<B, 1>,
    gradient: Tensor<B, 1>,
    moments: &mut [Tensor<B, 1>],
) {
    let moved = match (scalars, moments) {
        (Scalars::Adam(scalars), [m, v]) => adam(&scalars, weights.clone(), gradient, m, v),
        (Scalars::Sgd(scalars), moments) => sgd(&scalars, weights.clone(), gradient, moments.first_mut()),
        (Scalars::Adam(_), _) => unreachable!("Adam has two moments"),
    };
    *weights = moved;
}

fn sgd<B: Backend>(
    s: &SgdScalars,
    weights: Tensor<B, 1>,
    gradient: Tensor<B, 1>,
    buffer: Option<&mut Tensor<B, 1>>,
) -> Tensor<B, 1> {
    let gradient = decayed(gradient, &weights, s.weight_decay);
    let direction = match buffer {
        None => gradient,
        Some(buffer) => {
            *buffer = buffer.clone() * s.momentum + gradient.clone() * s.own;
            if s.nesterov { gradient + buffer.clone() * s.momentum } else { buffer.clone() }
        }
    };
    weights - direction * s.lr
}

fn adam<B: Backend>(
    s: &AdamScalars,
    weights: Tensor<B, 1>,
    gradient: Tensor<B, 1>,
    m: &mut Tensor<B, 1>,
    v: &mut Tensor<B, 1>,
) -> Tensor<B, 1> {
    let gradient = decayed(gradient, &weights, s.decay);
    *m = m.clone() + (gradient.clone() - m.clone()) * s.new1;
    *v = v.clone() * s.beta2 + gradient.clone() * gradient * s.new2;
    let direction = m.clone() / (v.clone().sqrt() / s.root + s.eps);
    let kept = if s.keep < 1.0 { weights * s.keep } else { weights };
    kept - direction * s.step_size
}

/// g + λθ.
fn decayed<B: Backend>(gradient: Tensor<B, 1>, weights: &Tensor<B, 1>, decay: f32) -> Tensor<B, 1> {
    if decay > 0.0 { gradient + weights.clone() * decay } else { gradient }
}

/// The factor that clips the gradients' common norm to `limit`. Each parameter's sum of squares comes from the device,
/// summed row by row so that no sum is long.
pub(crate) fn clip_factor<B: Backend>(
    link: &Link<B::Device>,
    network: &Network,
    gradients: &[Option<Tensor<B, 1>>],
    limit: f64,
) -> Result<f32, String> {
    let pairs = network.parameters.iter().zip(gradients);
    let squares = pairs.filter_map(|(parameter, gradient)| {
        let gradient = gradient.clone()?;
        let columns = parameter.shape.first().copied().unwrap_or(1).max(1);
        let rows = gradient.dims()[0] / columns;
        let squares = (gradient.clone() * gradient).reshape([rows, columns]).sum_dim(1);
        Some(squares.reshape([1, rows]).sum_dim(1).reshape([1]))
    });
    let squares: Vec<Tensor<B, 1>> = squares.collect();
    if squares.is_empty() {
        return Ok(1.0);
    }
    let read = link.download(vec![Tensor::cat(squares, 0)])?;
    let norm = read.iter().flatten().map(|&square| f64::from(square)).sum::<f64>().sqrt();
    Ok(optim::clip_factor(norm, limit))
}
