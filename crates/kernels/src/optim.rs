//! Optimiser steps with torch's defaults and order of operations.

use wellfit_simd::Buffer;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::vectorized;

/// What turns gradients into steps. `weight_decay` is λ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent (`torch.optim.SGD`): g ← g + λθ; b ← μb + (1 − dampening)·g (b = g at
    /// first); θ ← θ − lr·b, or with Nesterov θ − lr·(g + μb).
    Sgd {
        /// μ; 0 keeps no momentum.
        momentum: f64,
        /// Dampening of new gradients.
        dampening: f64,
        /// Look ahead.
        nesterov: bool,
        /// λ.
        weight_decay: f64,
    },
    /// Adam (Kingma & Ba 2015; `torch.optim.Adam`): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
    /// θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
    Adam {
        /// (β₁, β₂).
        betas: (f64, f64),
        /// ε.
        eps: f64,
        /// λ: added to the gradient (L2), or with `decoupled` taken off the weights: θ ← θ·(1 − lr·λ).
        weight_decay: f64,
        /// AdamW (Loshchilov & Hutter 2019).
        decoupled: bool,
    },
}

impl Rule {
    /// torch's SGD defaults: no momentum, no dampening, no decay.
    pub const SGD: Self = Self::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 };
    /// torch's Adam defaults: β (0.9, 0.999), ε 1e-8, no decay.
    pub const ADAM: Self = Self::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, decoupled: false };
    /// torch's AdamW defaults: as Adam with a decoupled decay of 1e-2.
    pub const ADAMW: Self =
        Self::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-2, decoupled: true };

    /// How many moments it keeps for each weight.
    #[must_use]
    pub fn moments(&self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => usize::from(*momentum != 0.0),
            Self::Adam { .. } => 2,
        }
    }

    /// The numbers of the step `step`, counted from 1, with learning rate `lr`: the same on every device.
    #[must_use]
    pub fn scalars(&self, step: u64, lr: f64) -> Scalars {
        match *self {
            Self::Sgd { momentum, dampening, nesterov, weight_decay } => Scalars::Sgd(SgdScalars {
                lr: lr as f32,
                momentum: momentum as f32,
                own: if step == 1 { 1.0 } else { 1.0 - dampening as f32 },
                nesterov,
                weight_decay: weight_decay as f32,
            }),
            Self::Adam { betas: (beta1, beta2), eps, weight_decay, decoupled } => {
                let power = |beta: f64| 1.0 - libm::pow(beta, step as f64);
                Scalars::Adam(AdamScalars {
                    step_size: (lr / power(beta1)) as f32,
                    root: power(beta2).sqrt() as f32,
                    new1: (1.0 - beta1) as f32,
                    beta2: beta2 as f32,
                    new2: (1.0 - beta2) as f32,
                    eps: eps as f32,
                    decay: if decoupled { 0.0 } else { weight_decay as f32 },
                    keep: if decoupled { (1.0 - lr * weight_decay) as f32 } else { 1.0 },
                })
            }
        }
    }
}

/// A rule's numbers for one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalars {
    /// Of [`Rule::Sgd`].
    Sgd(SgdScalars),
    /// Of [`Rule::Adam`].
    Adam(AdamScalars),
}

/// g ← g + `weight_decay`·θ; b ← `momentum`·b + `own`·g; θ ← θ − `lr`·b. Without momentum b is g; with Nesterov θ
/// moves by g + `momentum`·b.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdScalars {
    /// The learning rate.
    pub lr: f32,
    /// μ.
    pub momentum: f32,
    /// The weight of the new gradient: 1 − dampening, or 1 at first.
    pub own: f32,
    /// Look ahead.
    pub nesterov: bool,
    /// λ.
    pub weight_decay: f32,
}

/// g ← g + `decay`·θ; m ← m + `new1`·(g − m); v ← `beta2`·v + `new2`·g²; θ ← `keep`·θ − `step_size`·m/(√v/`root` + `eps`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamScalars {
    /// lr / (1 − β₁ᵗ).
    pub step_size: f32,
    /// √(1 − β₂ᵗ).
    pub root: f32,
    /// 1 − β₁.
    pub new1: f32,
    /// β₂.
    pub beta2: f32,
    /// 1 − β₂.
    pub new2: f32,
    /// ε.
    pub eps: f32,
    /// λ in the gradient; 0 where it is decoupled.
    pub decay: f32,
    /// 1 − lr·λ where it is decoupled; 1 otherwise.
    pub keep: f32,
}

/// Floats in a task.
const BLOCK: usize = 1 << 15;

/// Move `weights` by one step; `step` counts from 1, `moments` holds [`Rule::moments`] buffers.
///
/// # Panics
/// When there are too few moments.
pub fn update(
    rule: &Rule,
    step: u64,
    lr: f64,
    weights: &mut [f32],
    gradient: &[f32],
    moments: &mut [Buffer],
) {
    match rule.scalars(step, lr) {
        Scalars::Sgd(scalars) => {
            if scalars.momentum == 0.0 {
                row_blocks(weights, 1, BLOCK, |first, w| sgd(w, &gradient[first..], scalars));
            } else {
                let shared = wellfit_simd::parallel::Shared::new(&mut moments[0]);
                row_blocks(weights, 1, BLOCK, |first, w| {
                    // SAFETY: the moments have the weights' length, and blocks are disjoint.
                    let b = unsafe { shared.slice(first, w.len()) };
                    sgd_momentum(w, &gradient[first..], b, scalars);
                });
            }
        }
        Scalars::Adam(scalars) => {
            let (m, v) = moments.split_at_mut(1);
            let (m, v) = (
                wellfit_simd::parallel::Shared::new(&mut m[0]),
                wellfit_simd::parallel::Shared::new(&mut v[0]),
            );
            row_blocks(weights, 1, BLOCK, |first, w| {
                // SAFETY: as above.
                let (m, v) = unsafe { (m.slice(first, w.len()), v.slice(first, w.len())) };
                adam(w, &gradient[first..], m, v, scalars);
            });
        }
    }
}

vectorized! {
    fn sgd(weights: &mut [f32], gradient: &[f32], s: SgdScalars) {
        for (w, &g) in weights.iter_mut().zip(gradient) {
            *w -= s.lr * (g + s.weight_decay * *w);
        }
    }
}

vectorized! {
    fn sgd_momentum(weights: &mut [f32], gradient: &[f32], buffer: &mut [f32], s: SgdScalars) {
        for ((w, &g), b) in weights.iter_mut().zip(gradient).zip(buffer) {
            let g = g + s.weight_decay * *w;
            *b = s.momentum * *b + s.own * g;
            *w -= s.lr * if s.nesterov { g + s.momentum * *b } else { *b };
        }
    }
}

vectorized! {
    fn adam(weights: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], s: AdamScalars) {
        for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(m).zip(v) {
            let g = g + s.decay * *w;
            *m += s.new1 * (g - *m);
            *v = s.beta2 * *v + s.new2 * (g * g);
            *w = *w * s.keep - s.step_size * (*m / (v.sqrt() / s.root + s.eps));
        }
    }
}

/// The Euclidean norm of all gradients together.
#[must_use]
pub fn global_norm<'a>(gradients: impl Iterator<Item = &'a [f32]>) -> f64 {
    gradients.flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
}

/// The factor that brings gradients of norm `norm` to at most `limit`, as
/// `torch.nn.utils.clip_grad_norm_`: min(1, limit / (norm + 1e-6)).
#[must_use]
pub fn clip_factor(norm: f64, limit: f64) -> f32 {
    (limit / (norm + 1e-6)).min(1.0) as f32
}
