//! What is measured of single steps.
//!
//! A step is watched while it moves the weights, and its loss is then computed again, on the same images with the same
//! masks. That costs a forward pass and a look at the weights, so one step in a hundred is watched.

use super::digits::{finite, rounded};
use super::head::layers;
use wellfit_models::{Network, Parameter, Precision, Repeated};
use wellfit_record::StepStatistics;

/// One step in so many is watched.
const INTERVAL: u64 = 100;

/// So is this one, for runs that are shorter; the first steps of all say little.
const EARLY: u64 = 10;

/// Whether a step, counted from 1 over all epochs, is watched.
pub(crate) fn is_sampled(step: u64) -> bool {
    step == EARLY || step.is_multiple_of(INTERVAL)
}

/// The least change of a loss, as a share of it, that is no matter of rounding: a few steps of the outputs' precision.
fn least_change(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-6,
        Precision::Bf16 => 1e-2,
    }
}

/// What is seen of a step while it moves the weights.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// Gather the figures of single weights.
    pub watched: bool,
    /// The norm of all gradients before clipping, where it is computed, and what clipping multiplied them by.
    pub norm: Option<(f64, f64)>,
    /// The norms of weights, gradient and update of each parameter that moved, by its place.
    moved: Vec<(usize, [f64; 3])>,
    /// The update times the gradient as it was clipped: by how much the loss falls if it falls on a straight line.
    slope: f64,
}

impl Sample {
    /// Nothing seen yet.
    pub fn new(watched: bool) -> Self {
        Self { watched, ..Self::default() }
    }

    /// A parameter moved: its values before and after, and its gradient as it was clipped.
    pub fn moved(&mut self, place: usize, before: &[f32], parameter: &Parameter, gradient: &[f32]) {
        let [weights, gradients, updates, slope] = sums(before, &parameter.value, gradient);
        self.slope += slope;
        self.moved.push((place, [weights, gradients, updates].map(f64::sqrt)));
    }

    /// The line of a step; None if there is nothing to tell. `clips` says whether gradients are clipped at all.
    pub fn line(&self, (epoch, step): (u32, u64), clips: bool, network: &Network) -> Option<StepStatistics> {
        let (norm, factor) = self.norm?;
        let mut line = StepStatistics {
            epoch,
            step,
            grad_norm: Some(rounded(norm)),
            clipped: clips.then_some(factor < 1.0),
            ..StepStatistics::default()
        };
        if self.watched {
            let of = |place: usize| self.moved.iter().find(|(at, _)| *at == place).map(|(_, norms)| *norms);
            for norms in layers(network).map(of) {
                line.weights.push(norms.and_then(|[weights, _, _]| finite(weights)));
                line.gradients.push(norms.and_then(|[_, gradients, _]| finite(gradients / factor)));
                line.updates.push(norms.and_then(|[_, _, updates]| finite(updates)));
            }
        }
        Some(line)
    }

    /// Where the step landed: see [`alpha`]. `losses` are those of the batch before and after the step.
    pub fn alpha(&self, losses: (f64, f64), precision: Precision) -> Option<f64> {
        let (_, factor) = self.norm?;
        alpha(losses, self.slope / factor, least_change(precision)).and_then(finite)
    }
}

/// Put what a repeated pass found into the line of its step.
pub(crate) fn add_silence(line: &mut StepStatistics, again: &Repeated) {
    let silent = || again.silent.iter();
    line.zeros = silent().map(|found| found.and_then(|found| finite(found.zeros))).collect();
    line.dead = silent().map(|found| found.and_then(|found| finite(found.dead))).collect();
}

/// α of a step from the losses before and after it and its slope s, the update times the gradient (cockpit, Schneider et
/// al. 2021, without its model of the noise). Along the step the loss is taken for the parabola L0 + s·t + c·t², which
/// c = L1 − L0 − s gives; its minimum is at τ = −s/2c, and α = 1/τ − 1.
///
/// −1 where the parabola has no minimum ahead. None for a step that goes uphill, as momentum may, and where the loss
/// changes by less than rounding does (`least`, a share of the loss).
fn alpha((before, after): (f64, f64), slope: f64, least: f64) -> Option<f64> {
    let curvature = after - before - slope;
    let tells = slope < 0.0 && -slope > least * before.abs() && curvature.is_finite();
    tells.then(|| (-2.0 * curvature / slope - 1.0).max(-1.0))
}

/// Σ w², Σ g², Σ (w' − w)² and Σ (w' − w)·g.
fn sums(before: &[f32], after: &[f32], gradient: &[f32]) -> [f64; 4] {
    /// So many sums side by side, for the processor's vectors.
    const LANES: usize = 8;
    let mut sums = [[0.0_f64; LANES]; 4];
    let mut add = |lane: usize, w: f32, new: f32, g: f32| {
        let (w, new, g) = (f64::from(w), f64::from(new), f64::from(g));
        let update = new - w;
        for (sum, term) in sums.iter_mut().zip([w * w, g * g, update * update, update * g]) {
            sum[lane] += term;
        }
    };
    let ((w, w_rest), (new, new_rest), (g, g_rest)) =
        (before.as_chunks::<LANES>(), after.as_chunks::<LANES>(), gradient.as_chunks::<LANES>());
    for ((w, new), g) in w.iter().zip(new).zip(g) {
        for lane in 0..LANES {
            add(lane, w[lane], new[lane], g[lane]);
        }
    }
    for ((&w, &new), &g) in w_rest.iter().zip(new_rest).zip(g_rest) {
        add(0, w, new, g);
    }
    sums.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss (x − 3)², from 1 on: its minimum is 2 ahead, its slope there −4.
    #[test]
    fn alpha_is_where_a_step_lands_on_a_parabola() {
        let loss = |x: f64| (x - 3.0) * (x - 3.0);
        for (step, expected) in [(2.0, 0.0), (4.0, 1.0), (1.0, -0.5), (0.2, -0.9), (6.0, 2.0)] {
            let found = alpha((loss(1.0), loss(1.0 + step)), -4.0 * step, 1e-6).unwrap();
            assert!((found - expected).abs() < 1e-12, "{step}: {found}");
        }
        assert_eq!(alpha((4.0, 3.0), -0.5, 1e-6), Some(-1.0), "it falls ever faster: no minimum ahead");
        assert_eq!(alpha((4.0, 4.1), 0.5, 1e-6), None, "uphill");
        assert_eq!(alpha((4.0, 4.0), -1e-7, 1e-6), None, "rounding");
        assert_eq!(alpha((4.0, f64::NAN), -1.0, 1e-6), None);
    }

    #[test]
    fn sums_are_those_of_all_numbers() {
        let numbers = |from: i32| (0..19).map(|i| (i * 7 % 11 + from) as f32).collect::<Vec<f32>>();
        let (w, new, g) = (numbers(0), numbers(2), numbers(-3));
        let [weights, gradients, updates, slope] = sums(&w, &new, &g);
        let sum = |of: fn(f32, f32) -> f32, a: &[f32], b: &[f32]| {
            a.iter().zip(b).map(|(&a, &b)| f64::from(of(a, b))).sum::<f64>()
        };
        assert_eq!((weights, gradients), (sum(|a, b| a * b, &w, &w), sum(|a, b| a * b, &g, &g)));
        assert_eq!((updates, slope), (4.0 * 19.0, 2.0 * sum(|_, g| g, &w, &g)));
    }

    #[test]
    fn one_step_in_a_hundred_is_watched_and_one_early() {
        let found: Vec<u64> = (1..=300).filter(|&step| is_sampled(step)).collect();
        assert_eq!(found, [10, 100, 200, 300]);
    }
}
