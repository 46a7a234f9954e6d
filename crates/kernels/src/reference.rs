//! A naive version of every kernel, in f64 and in the order of its definition: the specification.
//!
//! Same layouts as the kernels (`[N, H, W, C]`, weights `[k, k, C_in, C_out]`). Nothing here is fast.

use crate::conv::{Algorithm, Conv, DepthwiseConv, GroupedConv};
use crate::pool::MaxPool;

/// Visit (input index, weight index, output index) of every product in a convolution.
fn each_product(conv: &Conv, mut visit: impl FnMut(usize, usize, usize)) {
    let (high, wide) = (conv.out_height(), conv.out_width());
    for n in 0..conv.batch {
        for (oy, ox) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
            for (ky, kx) in (0..conv.kernel).flat_map(|y| (0..conv.kernel).map(move |x| (y, x))) {
                let y = (oy * conv.stride + ky).wrapping_sub(conv.padding);
                let x = (ox * conv.stride + kx).wrapping_sub(conv.padding);
                if y >= conv.height || x >= conv.width {
                    continue;
                }
                for ci in 0..conv.channels_in {
                    for co in 0..conv.channels_out {
                        visit(
                            ((n * conv.height + y) * conv.width + x) * conv.channels_in + ci,
                            ((ky * conv.kernel + kx) * conv.channels_in + ci) * conv.channels_out + co,
                            ((n * high + oy) * wide + ox) * conv.channels_out + co,
                        );
                    }
                }
            }
        }
    }
}

/// [`Conv::forward`].
#[must_use]
pub fn conv_forward(conv: &Conv, x: &[f64], w: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut y: Vec<f64> = bias.iter().copied().cycle().take(conv.output_len()).collect();
    y.resize(conv.output_len(), 0.0);
    each_product(conv, |i, k, o| y[o] += x[i] * w[k]);
    y
}

/// [`Conv::data_gradient`].
#[must_use]
pub fn conv_data_gradient(conv: &Conv, dy: &[f64], w: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; conv.input_len()];
    each_product(conv, |i, k, o| dx[i] += dy[o] * w[k]);
    dx
}

/// [`Conv::weight_gradient`].
#[must_use]
pub fn conv_weight_gradient(conv: &Conv, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dw = vec![0.0; conv.weight_len()];
    each_product(conv, |i, k, o| dw[k] += x[i] * dy[o]);
    dw
}

/// Visit (input index, weight index, output index) of every product in a grouped convolution: those of
/// [`each_product`], with the channels in their groups.
fn each_grouped_product(conv: &GroupedConv, mut visit: impl FnMut(usize, usize, usize)) {
    let GroupedConv { groups, group: one } = conv;
    let place = |i: usize, channels: usize, group: usize| {
        i / channels * channels * groups + group * channels + i % channels
    };
    for group in 0..*groups {
        each_product(one, |i, k, o| {
            visit(
                place(i, one.channels_in, group),
                group * one.weight_len() + k,
                place(o, one.channels_out, group),
            );
        });
    }
}

/// [`GroupedConv::forward`], and for `dy` the gradients (dx, dw).
#[must_use]
pub fn grouped_conv(conv: &GroupedConv, x: &[f64], w: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let [mut y, mut dx, mut dw] =
        [conv.output_len(), conv.input_len(), conv.weight_len()].map(|len| vec![0.0; len]);
    each_grouped_product(conv, |i, k, o| {
        y[o] += x[i] * w[k];
        dx[i] += dy[o] * w[k];
        dw[k] += x[i] * dy[o];
    });
    [y, dx, dw]
}

/// [`DepthwiseConv::forward`], and for `dy` the gradients (dx, dw): a grouped convolution with its weights in another
/// order.
#[must_use]
pub fn depthwise_conv(conv: &DepthwiseConv, x: &[f64], w: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let DepthwiseConv { batch, height, width, channels, kernel, stride, padding } = *conv;
    let (channels_in, channels_out, algorithm) = (1, 1, Algorithm::Direct);
    let group = Conv { batch, height, width, channels_in, channels_out, kernel, stride, padding, algorithm };
    let taps = kernel * kernel;
    let by_group: Vec<f64> = (0..w.len()).map(|i| w[i % taps * channels + i / taps]).collect();
    let [y, dx, dw] = grouped_conv(&GroupedConv { groups: channels, group }, x, &by_group, dy);
    [y, dx, (0..dw.len()).map(|i| dw[i % channels * taps + i / channels]).collect()]
}

/// Hard swish ([`crate::activation::swish`]) and, for `dy`, [`crate::activation::swish_backward`].
#[must_use]
pub fn hardswish(x: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let y = x.iter().map(|x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0).collect();
    let slope = |x: f64| match x {
        _ if x <= -3.0 => 0.0,
        _ if x < 3.0 => x / 3.0 + 0.5,
        _ => 1.0,
    };
    (y, x.iter().zip(dy).map(|(&x, dy)| dy * slope(x)).collect())
}

/// ReLU6 ([`crate::activation::swish`]) and, for `dy`, its gradient: that of torch's `hardtanh`, 0 at both ends.
#[must_use]
pub fn relu6(x: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let gradient = |(&x, &dy): (&f64, &f64)| if x > 0.0 && x < 6.0 { dy } else { 0.0 };
    (x.iter().map(|x| x.clamp(0.0, 6.0)).collect(), x.iter().zip(dy).map(gradient).collect())
}

/// Mean and biased variance of each channel ([`crate::norm::statistics`]).
#[must_use]
pub fn statistics(x: &[f64], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (x.len() / channels) as f64;
    let column = |c: usize| x.iter().skip(c).step_by(channels);
    let mean: Vec<f64> = (0..channels).map(|c| column(c).sum::<f64>() / rows).collect();
    let variance = (0..channels).map(|c| column(c).map(|v| (v - mean[c]).powi(2)).sum::<f64>() / rows);
    (mean.clone(), variance.collect())
}

/// The whole of batch normalisation with a residual and ReLU: y, and the gradients (dx, dγ, dβ, dresidual)
/// for `dy`, with batch statistics.
#[must_use]
pub fn batch_norm(
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
    residual: &[f64],
    dy: &[f64],
    eps: f64,
) -> (Vec<f64>, [Vec<f64>; 4]) {
    let (channels, rows) = (gamma.len(), (x.len() / gamma.len()) as f64);
    let (mean, variance) = statistics(x, channels);
    let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / (v + eps).sqrt()).collect();
    let normal: Vec<f64> =
        x.iter().enumerate().map(|(i, v)| (v - mean[i % channels]) * inverse[i % channels]).collect();
    let y: Vec<f64> = normal
        .iter()
        .enumerate()
        .map(|(i, n)| (n * gamma[i % channels] + beta[i % channels] + residual[i]).max(0.0))
        .collect();
    let g: Vec<f64> = dy.iter().zip(&y).map(|(&d, &y)| if y > 0.0 { d } else { 0.0 }).collect();
    let (mut d_gamma, mut d_beta) = (vec![0.0; channels], vec![0.0; channels]);
    for (i, g) in g.iter().enumerate() {
        d_gamma[i % channels] += g * normal[i];
        d_beta[i % channels] += g;
    }
    let dx = (0..x.len())
        .map(|i| {
            let c = i % channels;
            gamma[c] * inverse[c] * (g[i] - d_beta[c] / rows - normal[i] * d_gamma[c] / rows)
        })
        .collect();
    (y, [dx, d_gamma, d_beta, g])
}

/// [`MaxPool::forward`] and, for `dy`, [`MaxPool::backward`].
#[must_use]
pub fn max_pool(pool: &MaxPool, x: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (high, wide) = (pool.out_height(), pool.out_width());
    let (mut y, mut dx) = (Vec::new(), vec![0.0; x.len()]);
    for n in 0..pool.batch {
        for (oy, ox) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
            for c in 0..pool.channels {
                let (mut best, mut at) = (f64::NEG_INFINITY, None);
                for tap in 0..pool.kernel * pool.kernel {
                    let iy = (oy * pool.stride + tap / pool.kernel).wrapping_sub(pool.padding);
                    let ix = (ox * pool.stride + tap % pool.kernel).wrapping_sub(pool.padding);
                    if iy < pool.height && ix < pool.width {
                        let place = ((n * pool.height + iy) * pool.width + ix) * pool.channels + c;
                        if x[place] > best {
                            (best, at) = (x[place], Some(place));
                        }
                    }
                }
                if let Some(place) = at {
                    dx[place] += dy[y.len()];
                }
                y.push(best);
            }
        }
    }
    (y, dx)
}
