//! The weights of a resize along one axis.

use super::PRECISION_BITS;

/// What each output pixel along one axis is made of: weights for some input pixels, the same number for all so
/// that the processor can foresee the loop.
pub(super) struct Taps {
    firsts: Vec<usize>,
    weights: Vec<u32>,
    count: usize,
}

impl Taps {
    /// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`.
    pub(super) fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let support = scale.max(1.0);
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
            let triangle = |x: usize| (1.0 - ((x as f64 - center + 0.5) * (1.0 / support)).abs()).max(0.0);
            heights.clear();
            heights.extend(reach.clone().map(triangle));
            let total: f64 = heights.iter().sum();
            let first = reach.start.min(from - count);
            for (weight, height) in weights[reach.start - first..].iter_mut().zip(&heights) {
                *weight = (height / total * f64::from(1 << PRECISION_BITS) + 0.5) as u32;
            }
            taps.firsts.push(first);
        }
        taps
    }

    /// For each output pixel the first input pixel and the weights from there on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.firsts.iter().copied().zip(self.weights.chunks_exact(self.count))
    }
}
