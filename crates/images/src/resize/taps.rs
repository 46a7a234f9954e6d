//! The weights of a resize along one axis.

use super::{Interpolation, PRECISION_BITS};

/// What each output pixel along one axis is made of: weights for some input pixels, the same number for all so
/// that the processor can foresee the loop.
pub(super) struct Taps {
    firsts: Vec<usize>,
    weights: Vec<i32>,
    count: usize,
}

impl Taps {
    /// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`.
    pub(super) fn new(from: usize, to: usize, interpolation: Interpolation) -> Self {
        let scale = from as f64 / to as f64;
        let filter_scale = scale.max(1.0);
        let support = interpolation.support() * filter_scale;
        let center = |i: usize| (i as f64 + 0.5) * scale;
        let reach = |i: usize| {
            let first = (center(i) - support + 0.5).max(0.0) as usize;
            first..((center(i) + support + 0.5) as usize).min(from)
        };
        let count = (0..to).map(|i| reach(i).len()).max().unwrap_or(0);
        let mut taps = Self { firsts: Vec::with_capacity(to), weights: vec![0; to * count], count };
        let mut heights = Vec::with_capacity(count);
        for (i, weights) in taps.weights.chunks_exact_mut(count).enumerate() {
            let (reach, center) = (reach(i), center(i));
            let height = |x: usize| interpolation.weight((x as f64 - center + 0.5) * (1.0 / filter_scale));
            heights.clear();
            heights.extend(reach.clone().map(height));
            let total: f64 = heights.iter().sum();
            let first = reach.start.min(from - count);
            for (weight, height) in weights[reach.start - first..].iter_mut().zip(&heights) {
                let exact = height / total * f64::from(1 << PRECISION_BITS);
                // The cast cuts off towards 0.
                *weight = (exact + 0.5_f64.copysign(exact)) as i32;
            }
            taps.firsts.push(first);
        }
        taps
    }

    /// For each output pixel the first input pixel and the weights from there on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.firsts.iter().copied().zip(self.weights.chunks_exact(self.count))
    }
}
