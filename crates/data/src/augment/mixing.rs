//! Mixtures of two images: mixup and CutMix.

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Rectangle, Size, parameters};
use crate::loader::{Batch, Mixed};

/// Mix each image of a batch with the one before it, the first with the last, and their labels by the same shares:
/// torchvision's `v2.MixUp(alpha)` (Zhang et al. 2018) and `v2.CutMix(alpha)` (Yun et al. 2019). With both, each batch
/// undergoes one of them, as often as the other. An alpha of 0 turns one off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixing {
    /// Of mixup: images are weighted by λ and 1 − λ, where λ has the distribution Beta(α, α).
    pub mixup: f64,
    /// Of CutMix: a rectangle with about 1 − λ of the area comes from the other image.
    pub cutmix: f64,
}

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mix {
    /// Each image keeps this weight.
    Blend(f64),
    /// This part of each image comes from the one before it.
    Paste(Rectangle),
}

impl Mixing {
    /// What happens to a batch of inputs of `size` whose first image has this drawn number.
    #[must_use]
    pub fn mix(&self, drawn: u32, size: Size) -> Mix {
        let mut rng = parameters(drawn);
        let cut = rng.coin();
        if self.cutmix > 0.0 && (cut || self.mixup == 0.0) {
            let share = beta(&mut rng, self.cutmix);
            return Mix::Paste(part(&mut rng, share, size));
        }
        Mix::Blend(beta(&mut rng, self.mixup))
    }
}

/// A rectangle around a random pixel, with 1 − `share` of the area as far as it does not stick out.
fn part(rng: &mut Rng, share: f64, (height, width): Size) -> Rectangle {
    let (x, y) = (rng.below(width as u32) as usize, rng.below(height as u32) as usize);
    let half = 0.5 * (1.0 - share).sqrt();
    let (across, down) = ((half * width as f64) as usize, (half * height as f64) as usize);
    let (left, top) = (x.saturating_sub(across), y.saturating_sub(down));
    let (right, bottom) = ((x + across).min(width), (y + down).min(height));
    Rectangle { top, left, height: bottom - top, width: right - left }
}

/// A number of the distribution Beta(α, α): the share of one of two equal gamma distributions in their sum. In
/// logarithms, since for small α both are often too small for a number.
fn beta(rng: &mut Rng, alpha: f64) -> f64 {
    let (own, other) = (log_gamma_variate(rng, alpha), log_gamma_variate(rng, alpha));
    1.0 / (1.0 + libm::exp(other - own))
}

/// The logarithm of a number of the gamma distribution of shape α: Marsaglia and Tsang (2000) for α + 1, and from there
/// to α by a power of a uniform number.
fn log_gamma_variate(rng: &mut Rng, alpha: f64) -> f64 {
    let d = alpha + 1.0 - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let positive = |rng: &mut Rng| 1.0 - rng.uniform_f64(0.0, 1.0);
    loop {
        let x = f64::from(rng.normal());
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && libm::log(positive(rng)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return libm::log(d * v) + libm::log(positive(rng)) / alpha;
        }
    }
}

impl Augmentation for Mixing {
    fn name(&self) -> &'static str {
        match (self.mixup > 0.0, self.cutmix > 0.0) {
            (true, true) => "mixup_or_cutmix",
            (false, true) => "cutmix",
            _ => "mixup",
        }
    }

    fn changes_batches(&self) -> bool {
        true
    }

    fn change_batch(&self, drawn: &[u32], batch: &mut Batch) {
        let [n, height, width, channels] = batch.shape;
        let (Some(&first), true) = (drawn.first(), n > 1) else { return };
        let mix = self.mix(first, (height, width));
        let len = height * width * channels;
        // From the last image on, so that the one before is still as it was; the last one is needed at the end.
        let last: Vec<f32> = batch.images[(n - 1) * len..].to_vec();
        for i in (0..n).rev() {
            let (before, own) = batch.images.split_at_mut(i * len);
            let other = if i == 0 { &last[..] } else { &before[(i - 1) * len..] };
            apply(mix, &mut own[..len], other, width * channels, channels);
        }
        let share = match mix {
            Mix::Blend(share) => share,
            Mix::Paste(part) => 1.0 - (part.height * part.width) as f64 / (height * width) as f64,
        };
        let mut labels = batch.labels.clone();
        labels.rotate_right(1);
        batch.mixed = Some(Mixed { labels, share });
    }
}

/// Mix one image, whose rows have `stride` values, with another.
fn apply(mix: Mix, own: &mut [f32], other: &[f32], stride: usize, channels: usize) {
    match mix {
        Mix::Blend(share) => {
            let (kept, added) = (share as f32, (1.0 - share) as f32);
            own.iter_mut().zip(other).for_each(|(own, other)| *own = other * added + *own * kept);
        }
        Mix::Paste(part) => {
            let columns = part.left * channels..(part.left + part.width) * channels;
            let rows = own.chunks_exact_mut(stride).zip(other.chunks_exact(stride));
            for (own, other) in rows.skip(part.top).take(part.height) {
                own[columns.clone()].copy_from_slice(&other[columns.clone()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_simd::Buffer;

    /// Three images of 2 × 2 grey pixels: all 1, all 2, all 4.
    fn batch() -> Batch {
        let images = [1.0_f32, 2.0, 4.0].iter().flat_map(|&value| [value; 4]).collect::<Vec<_>>();
        Batch {
            images: Buffer::from_slice(&images),
            shape: [3, 2, 2, 1],
            labels: vec![7, 8, 9],
            mixed: None,
            indices: vec![0, 1, 2],
        }
    }

    #[test]
    fn mixup_weights_each_image_and_the_one_before_it() {
        let (mixing, mut batch) = (Mixing { mixup: 1.0, cutmix: 0.0 }, batch());
        mixing.change_batch(&[5, 6, 7], &mut batch);
        let mixed = batch.mixed.unwrap();
        let share = mixed.share as f32;
        assert!(share > 0.05 && share < 0.95, "a share that shows");
        assert_eq!((batch.labels, mixed.labels), (vec![7, 8, 9], vec![9, 7, 8]));
        for (i, (own, other)) in [(1.0, 4.0), (2.0, 1.0), (4.0, 2.0)].into_iter().enumerate() {
            let want = share * own + (1.0 - share) * other;
            assert!(batch.images[i * 4..][..4].iter().all(|value| (value - want).abs() < 1e-6), "{i}");
        }
    }

    #[test]
    fn cutmix_pastes_a_part_and_counts_its_area() {
        let mixing = Mixing { mixup: 0.0, cutmix: 1.0 };
        for drawn in 0..40 {
            let mut batch = batch();
            mixing.change_batch(&[drawn, 6, 7], &mut batch);
            let mixed = batch.mixed.unwrap();
            for (i, (own, other)) in [(1.0, 4.0), (2.0, 1.0), (4.0, 2.0)].into_iter().enumerate() {
                let kept = batch.images[i * 4..][..4].iter().filter(|value| **value == own).count();
                let pasted = batch.images[i * 4..][..4].iter().filter(|value| **value == other).count();
                assert_eq!((kept + pasted, kept as f64), (4, 4.0 * mixed.share));
            }
        }
    }

    #[test]
    fn both_happen_equally_often_and_a_lone_image_stays() {
        let mixing = Mixing { mixup: 0.2, cutmix: 1.0 };
        let cut = (0..1000).filter(|&drawn| matches!(mixing.mix(drawn, (9, 9)), Mix::Paste(_))).count();
        // A standard deviation is 16.
        assert!((420..580).contains(&cut), "{cut}");
        let one = Batch {
            images: Buffer::from_slice(&[1.0; 4]),
            shape: [1, 2, 2, 1],
            labels: vec![3],
            mixed: None,
            indices: vec![0],
        };
        let mut mixed = one.clone();
        mixing.change_batch(&[5], &mut mixed);
        assert_eq!(mixed, one);
    }
}
