//! Parzen estimators: a density from trials, as a mixture with a kernel for each trial and one for the prior.

use super::normal::{log_density, log_mass, quantile};
use super::split::ordered;
use crate::distribution::Distribution;
use libm::{exp, log};
use std::collections::HashMap;
use wellfit_rng::Rng;

/// The weight of the prior's kernel.
const PRIOR_WEIGHT: f64 = 1.0;
/// As many kernels count as the whole of a range when the narrowest kernel is chosen.
const MOST_FOR_WIDTH: f64 = 100.0;
/// How many of the newest trials have the full weight.
const FULL_WEIGHT: usize = 25;

/// A density over several parameters at once: each kernel is a product of one factor a parameter.
#[derive(Debug, Clone)]
pub struct Parzen {
    /// Their sums up to each kernel, for drawing.
    cumulated: Vec<f64>,
    log_weights: Vec<f64>,
    factors: Vec<Factor>,
}

/// The kernels' factors of one parameter.
#[derive(Debug, Clone)]
enum Factor {
    Numerical(Numerical),
    /// The probability of each choice, kernel after kernel.
    Categorical {
        choices: usize,
        probabilities: Vec<f64>,
        logs: Vec<f64>,
    },
}

/// Normal distributions, cut off at the ends of the range; in logarithms where the range is.
#[derive(Debug, Clone)]
struct Numerical {
    /// Which of the normal distributions below each kernel has: where values are apart by a step, many have the same.
    kinds: Vec<u32>,
    means: Vec<f64>,
    widths: Vec<f64>,
    /// The logarithm of what each has between the ends, and where values are not apart by a step that of its width.
    log_norms: Vec<f64>,
    ends: [f64; 2],
    /// The smallest and the largest value.
    range: [f64; 2],
    log: bool,
    step: Option<f64>,
}

impl Parzen {
    /// From the values of trials, oldest first: a column for each distribution.
    pub fn new(columns: &[Vec<f64>], distributions: &[&Distribution]) -> Self {
        let trials = columns.first().map_or(0, Vec::len);
        let mut weights = trial_weights(trials);
        weights.push(PRIOR_WEIGHT);
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let mut before = 0.0;
        let cumulated = weights.iter().map(|weight| {
            before += weight;
            before
        });
        Self {
            cumulated: cumulated.collect(),
            log_weights: weights.iter().map(|weight| log(*weight)).collect(),
            factors: columns
                .iter()
                .zip(distributions)
                .map(|(column, one)| Factor::new(column, one))
                .collect(),
        }
    }

    /// Values for all parameters, drawn from the density.
    pub fn draw(&self, rng: &mut Rng) -> Vec<f64> {
        let share = uniform(rng);
        let kernel = self.cumulated.partition_point(|sum| *sum <= share).min(self.cumulated.len() - 1);
        self.factors.iter().map(|factor| factor.draw(kernel, rng)).collect()
    }

    /// The logarithm of the density at `values`.
    pub fn log_density(&self, values: &[f64]) -> f64 {
        let mut logs = self.log_weights.clone();
        for (factor, value) in self.factors.iter().zip(values) {
            factor.add_log_density(*value, &mut logs);
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        // What is 2^-60 of the largest does not show in a sum of f64.
        let near = logs.iter().map(|one| one - most).filter(|less| *less > -42.0);
        log(near.map(exp).sum()) + most
    }
}

impl Factor {
    fn new(column: &[f64], distribution: &Distribution) -> Self {
        match distribution {
            Distribution::Categorical { choices } => Self::categorical(column, choices.len()),
            Distribution::Float { step, low, log, .. } => {
                Self::Numerical(Numerical::new(column, [*low, distribution.last()], *log, *step))
            }
            Distribution::Int { log, step, low, .. } => {
                let range = [*low as f64, distribution.last()];
                Self::Numerical(Numerical::new(column, range, *log, Some(*step as f64)))
            }
        }
    }

    fn categorical(column: &[f64], choices: usize) -> Self {
        let kernels = column.len() + 1;
        let each = if column.is_empty() { 1.0 } else { PRIOR_WEIGHT / kernels as f64 };
        let mut probabilities = vec![each; kernels * choices];
        for (kernel, value) in column.iter().enumerate() {
            probabilities[kernel * choices + (*value as usize).min(choices - 1)] += 1.0;
        }
        for row in probabilities.chunks_mut(choices) {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|one| *one /= sum);
        }
        let logs = probabilities.iter().map(|one| log(*one)).collect();
        Self::Categorical { choices, probabilities, logs }
    }

    fn draw(&self, kernel: usize, rng: &mut Rng) -> f64 {
        match self {
            Self::Numerical(one) => one.draw(kernel, rng),
            Self::Categorical { choices, probabilities, .. } => {
                let share = uniform(rng);
                let row = &probabilities[kernel * choices..(kernel + 1) * choices];
                let mut sum = 0.0;
                let place = row.iter().position(|one| {
                    sum += one;
                    share < sum
                });
                place.unwrap_or(choices - 1) as f64
            }
        }
    }

    fn add_log_density(&self, value: f64, logs: &mut [f64]) {
        match self {
            Self::Numerical(one) => one.add_log_density(value, logs),
            Self::Categorical { choices, logs: own, .. } => {
                let place = (value as usize).min(choices - 1);
                logs.iter_mut().zip(own.chunks(*choices)).for_each(|(sum, row)| *sum += row[place]);
            }
        }
    }
}

impl Numerical {
    fn new(column: &[f64], range: [f64; 2], is_log: bool, step: Option<f64>) -> Self {
        let scaled = |x: f64| if is_log { log(x) } else { x };
        let half = step.unwrap_or(0.0) / 2.0;
        let ends = [scaled(range[0] - half), scaled(range[1] + half)];
        let mut means: Vec<f64> = column.iter().map(|x| scaled(*x)).collect();
        let mut widths = widths(&means, ends);
        means.push(0.5 * (ends[0] + ends[1]));
        widths.push(ends[1] - ends[0]);
        let (kinds, means, widths) = match step {
            Some(_) => kinds(&means, &widths),
            None => ((0..means.len() as u32).collect(), means, widths),
        };
        let norm = |(mean, width): (&f64, &f64)| {
            let mass = log_mass((ends[0] - mean) / width, (ends[1] - mean) / width);
            if step.is_none() { mass + log(*width) } else { mass }
        };
        let log_norms = means.iter().zip(&widths).map(norm).collect();
        Self { kinds, means, widths, log_norms, ends, range, log: is_log, step }
    }

    fn draw(&self, kernel: usize, rng: &mut Rng) -> f64 {
        let kind = self.kinds[kernel] as usize;
        let (mean, width) = (self.means[kind], self.widths[kind]);
        let [a, b] = self.ends.map(|end| (end - mean) / width);
        let x = quantile(uniform(rng), a, b) * width + mean;
        let x = if self.log { exp(x) } else { x };
        let [low, high] = self.range;
        match self.step {
            Some(step) => (low + ((x - low) / step).round_ties_even() * step).clamp(low, high),
            None => x.clamp(low, high),
        }
    }

    fn add_log_density(&self, value: f64, logs: &mut [f64]) {
        let scaled = |x: f64| if self.log { log(x) } else { x };
        let kernels = self.means.iter().zip(&self.widths).zip(&self.log_norms);
        let Some(step) = self.step else {
            // Each kernel has a normal distribution of its own.
            let x = scaled(value);
            if x < self.ends[0] || x > self.ends[1] {
                logs.fill(f64::NEG_INFINITY);
            }
            for (sum, ((mean, width), norm)) in logs.iter_mut().zip(kernels) {
                *sum += log_density((x - mean) / width) - norm;
            }
            return;
        };
        let [left, right] = [-0.5, 0.5].map(|steps| scaled(value + steps * step));
        let mass = |((mean, width), norm): ((&f64, &f64), &f64)| {
            log_mass((left - mean) / width, (right - mean) / width) - norm
        };
        let masses: Vec<f64> = kernels.map(mass).collect();
        logs.iter_mut().zip(&self.kinds).for_each(|(sum, kind)| *sum += masses[*kind as usize]);
    }
}

/// The different pairs of a mean and a width, and which of them each kernel has.
fn kinds(means: &[f64], widths: &[f64]) -> (Vec<u32>, Vec<f64>, Vec<f64>) {
    let mut places: HashMap<[u64; 2], u32> = HashMap::new();
    let (mut kinds, mut of_mean, mut of_width) = (Vec::with_capacity(means.len()), Vec::new(), Vec::new());
    for (mean, width) in means.iter().zip(widths) {
        kinds.push(*places.entry([mean.to_bits(), width.to_bits()]).or_insert_with(|| {
            of_mean.push(*mean);
            of_width.push(*width);
            of_mean.len() as u32 - 1
        }));
    }
    (kinds, of_mean, of_width)
}

/// How wide each kernel is: as far as the farther neighbour, within bounds ("magic clip" of Bergstra et al.). The ends of
/// the range are neighbours only where there are fewer than two trials.
fn widths(means: &[f64], [low, high]: [f64; 2]) -> Vec<f64> {
    let n = means.len();
    let mut order: Vec<(i64, usize)> = means.iter().map(|mean| ordered(*mean)).zip(0..).collect();
    order.sort_unstable();
    let at = |place: usize| {
        if place == 0 {
            low
        } else if place > n {
            high
        } else {
            means[order[place - 1].1]
        }
    };
    let narrowest = (high - low) / (n as f64 + 2.0).min(MOST_FOR_WIDTH);
    let mut widths = vec![0.0; n];
    for (place, (_, trial)) in order.iter().enumerate() {
        let (before, after) = (at(place + 1) - at(place), at(place + 2) - at(place + 1));
        let width = match place {
            0 if n >= 2 => after,
            _ if place + 1 == n && n >= 2 => before,
            _ => before.max(after),
        };
        widths[*trial] = width.clamp(narrowest, high - low);
    }
    widths
}

/// Older trials count for less, once there are many.
fn trial_weights(n: usize) -> Vec<f64> {
    let old = n.saturating_sub(FULL_WEIGHT);
    let (first, steps) = (1.0 / n.max(1) as f64, old.saturating_sub(1).max(1) as f64);
    (0..n).map(|i| if i < old { first + (1.0 - first) * i as f64 / steps } else { 1.0 }).collect()
}

/// A number in (0, 1).
fn uniform(rng: &mut Rng) -> f64 {
    let bits = (u64::from(rng.next_u32()) << 20) | u64::from(rng.next_u32() >> 12);
    (bits as f64 + 0.5) / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::STREAM;

    /// Sums of the density over all values of a discrete space are 1.
    #[test]
    fn the_density_is_one() {
        let int = Distribution::Int { log: true, step: 1, low: 1, high: 9 };
        let words = Distribution::Categorical { choices: vec![1.into(), 2.into(), 3.into()] };
        let columns = [vec![2.0, 2.0, 9.0], vec![0.0, 2.0, 2.0]];
        let estimator = Parzen::new(&columns, &[&int, &words]);
        let all = (1..=9).flat_map(|i| (0..3).map(move |j| [f64::from(i), f64::from(j)]));
        let sum: f64 = all.map(|values| exp(estimator.log_density(&values))).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }

    /// The share of draws below a point is the density's, within five standard errors.
    #[test]
    fn draws_follow_the_density() {
        let one = Distribution::Float { step: None, low: 1e-4, high: 1.0, log: true };
        let estimator = Parzen::new(&[vec![1e-3, 2e-3, 0.5]], &[&one]);
        let (n, mut rng) = (20_000, Rng::new(3, STREAM, 0, 0));
        let share = (0..n).filter(|_| estimator.draw(&mut rng)[0] < 5e-3).count() as f64 / f64::from(n);
        // The density is that of log x: the integral by the midpoint rule.
        let (from, to) = (log(1e-4), log(5e-3));
        let step = (to - from) / 2000.0;
        let expected: f64 = (0..2000)
            .map(|i| exp(estimator.log_density(&[exp(from + (f64::from(i) + 0.5) * step)])) * step)
            .sum();
        let error = (expected * (1.0 - expected) / f64::from(n)).sqrt();
        assert!((share - expected).abs() < 5.0 * error, "{share}, not {expected}");
    }

    #[test]
    fn old_trials_count_for_less() {
        assert_eq!(trial_weights(3), [1.0; 3]);
        let weights = trial_weights(28);
        assert_eq!(weights[..4], [1.0 / 28.0, 0.5 + 0.5 / 28.0, 1.0, 1.0]);
        assert_eq!(trial_weights(26)[0], 1.0 / 26.0);
    }
}
