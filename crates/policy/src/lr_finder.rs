//! The learning-rate range test (Smith 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186):
//! train a few steps with a rate that grows exponentially, and read a good rate off the losses.
//!
//! The rates and the smoothing are those of fastai's `lr_find`; so is [`LrCurve::valley`]. [`LrCurve::steep`] is Lightning's
//! suggestion. Both are checked against these packages (`tests/lr_finder.rs`).

use crate::PolicyError;
use crate::error::require;
use serde::{Deserialize, Serialize};

/// How much the smoothed loss keeps of itself at each step.
const BETA: f64 = 0.98;
/// The search ends when the smoothed loss is more than this many times the lowest one.
const DIVERGED: f64 = 4.0;
/// The fewest steps; fastai takes 6 where fewer are asked for, and reads nothing off them.
pub const FEWEST_STEPS: u32 = 20;
/// What fastai leaves out at the end of the losses.
const SKIPPED_BY_FASTAI: usize = 5;
/// What Lightning leaves out at the beginning and at the end.
const SKIPPED_BY_LIGHTNING: (usize, usize) = (10, 1);

/// Which rates are tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LrRange {
    /// The rate of the first step.
    pub start: f64,
    /// The rate that the search ends before.
    pub end: f64,
    /// Steps from one to the other.
    pub steps: u32,
}

impl Default for LrRange {
    /// fastai's: from 1e-7 to 10 in 100 steps.
    fn default() -> Self {
        Self { start: 1e-7, end: 10.0, steps: 100 }
    }
}

impl LrRange {
    /// Checks every option.
    ///
    /// # Errors
    /// Names the first that is out of range: `start_lr`, `end_lr` or `steps`.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let Self { start, end, steps } = *self;
        require(start.is_finite() && start > 0.0, "start_lr", start, "a finite number above 0")?;
        require(end.is_finite() && end > start, "end_lr", end, "a finite number above start_lr")?;
        require(
            steps >= FEWEST_STEPS,
            "steps",
            steps,
            "20 or more: fewer say nothing of where the loss falls",
        )
    }

    /// The rate of a step, counted from 0: `start · (end/start)^(step/steps)`.
    #[must_use]
    pub fn lr(&self, step: u32) -> f64 {
        self.start * libm::pow(self.end / self.start, f64::from(step) / f64::from(self.steps))
    }
}

/// A step of the search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LrPoint {
    /// The learning rate.
    pub lr: f64,
    /// The loss of the batch, before the step.
    pub loss: f64,
    /// The losses so far, smoothed.
    pub smoothed: f64,
}

/// The losses of a search.
///
/// ```
/// use wellfit_policy::lr_finder::{LrCurve, LrRange};
/// let mut curve = LrCurve::new(LrRange::default());
/// while let Some(lr) = curve.next_lr() {
///     // What a small problem does: it learns fastest near a rate of 0.1, and diverges above.
///     curve.take(2.0 - 1.5 * (-(lr / 0.1).ln().powi(2) / 8.0).exp() + lr * lr);
/// }
/// assert!((1e-4..0.1).contains(&curve.valley().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LrCurve {
    range: LrRange,
    points: Vec<LrPoint>,
    average: f64,
    best: f64,
    diverged: bool,
}

impl LrCurve {
    /// Before the first step.
    #[must_use]
    pub fn new(range: LrRange) -> Self {
        Self { range, points: Vec::new(), average: 0.0, best: f64::INFINITY, diverged: false }
    }

    /// Which rates were to be tried.
    #[must_use]
    pub fn range(&self) -> LrRange {
        self.range
    }

    /// The steps done.
    #[must_use]
    pub fn points(&self) -> &[LrPoint] {
        &self.points
    }

    /// Whether the search ended early, because the loss grew too large.
    #[must_use]
    pub fn diverged(&self) -> bool {
        self.diverged
    }

    /// The rate of the step to come; none when the search is over.
    #[must_use]
    pub fn next_lr(&self) -> Option<f64> {
        let done = self.points.len() as u32;
        (!self.diverged && done < self.range.steps).then(|| self.range.lr(done))
    }

    /// Take the loss of the step that [`next_lr`](Self::next_lr) gave the rate of. The smoothed loss is an exponential
    /// average whose bias towards 0 is corrected. A loss that is no number ends the search, and is not kept.
    pub fn take(&mut self, loss: f64) {
        let Some(lr) = self.next_lr() else { return };
        if !loss.is_finite() {
            self.diverged = true;
            return;
        }
        self.average = BETA * self.average + (1.0 - BETA) * loss;
        let smoothed = self.average / (1.0 - BETA.powi(self.points.len() as i32 + 1));
        self.points.push(LrPoint { lr, loss, smoothed });
        self.best = self.best.min(smoothed);
        self.diverged = smoothed > DIVERGED * self.best;
    }

    /// fastai's `valley`: two thirds into the longest run of falling losses, of which one need not follow the other at once.
    /// None if the loss never falls.
    #[must_use]
    pub fn valley(&self) -> Option<f64> {
        let points = self.read_by_fastai();
        Some(points.get(valley(&smoothed(points))?)?.lr)
    }

    /// Lightning's suggestion: where the loss falls most for a change of the rate. None if it never falls.
    #[must_use]
    pub fn steep(&self) -> Option<f64> {
        let (begin, end) = SKIPPED_BY_LIGHTNING;
        let points = self.points.get(begin..self.points.len().saturating_sub(end))?;
        let lrs: Vec<f64> = points.iter().map(|point| single(point.lr)).collect();
        Some(points.get(steepest(&lrs, &smoothed(points))?)?.lr)
    }

    /// fastai's `minimum`: a tenth of the rate at which the loss is lowest. None if there are too few losses.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        let points = self.read_by_fastai();
        let lowest = points.iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed))?;
        Some(lowest.lr / 10.0)
    }

    /// All but the first tenth, and the last five.
    fn read_by_fastai(&self) -> &[LrPoint] {
        let begin = self.range.steps as usize / 10;
        self.points.get(begin..self.points.len().saturating_sub(SKIPPED_BY_FASTAI)).unwrap_or_default()
    }
}

fn smoothed(points: &[LrPoint]) -> Vec<f64> {
    points.iter().map(|point| single(point.smoothed)).collect()
}

/// A number with 24 bits, as both packages read them: the last bits of an average are no fall of the loss.
fn single(number: f64) -> f64 {
    f64::from(number as f32)
}

/// The place that fastai's `valley` suggests for these losses. None if no loss is below an earlier one.
#[must_use]
pub fn valley(losses: &[f64]) -> Option<usize> {
    // For each loss, how long the longest falling sequence is that ends with it.
    let mut falls = vec![1; losses.len()];
    let mut end = 0;
    for i in 1..losses.len() {
        for j in 0..i {
            if losses[i] < losses[j] && falls[i] < falls[j] + 1 {
                falls[i] = falls[j] + 1;
            }
            if falls[end] < falls[i] {
                end = i;
            }
        }
    }
    if end == 0 {
        return None;
    }
    // What fastai takes for the first of it; one before the losses, where all of them fall.
    let start = end as isize - falls[end];
    let third = (end as isize - start) as f64 / 3.0;
    let place = start + third as isize + (third / 2.0) as isize;
    // Python counts negative places from the end.
    Some(place.rem_euclid(losses.len() as isize) as usize)
}

/// The place at which losses fall most for a change of the rate, by differences of the second order as `torch.gradient`
/// takes them, of the first order at both ends. None if they fall nowhere.
#[must_use]
pub fn steepest(lrs: &[f64], losses: &[f64]) -> Option<usize> {
    if lrs.len() < 2 || lrs.len() != losses.len() {
        return None;
    }
    let last = lrs.len() - 1;
    let slope = |a: usize, b: usize| (losses[b] - losses[a]) / (lrs[b] - lrs[a]);
    let gradient = |i: usize| match i {
        0 => slope(0, 1),
        _ if i == last => slope(last - 1, last),
        _ => {
            let (before, after) = (lrs[i] - lrs[i - 1], lrs[i + 1] - lrs[i]);
            (after * slope(i - 1, i) + before * slope(i, i + 1)) / (before + after)
        }
    };
    let gradients = (0..=last).map(|i| (i, gradient(i))).filter(|(_, gradient)| gradient.is_finite());
    let (place, steepest) = gradients.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (steepest < 0.0).then_some(place)
}
