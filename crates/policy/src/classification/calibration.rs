//! Whether probabilities mean what they say, after Guo et al. 2017, "On Calibration of Modern Neural Networks".

use super::confusion::mean;

/// Bins of the expected calibration error, as in the paper.
pub const BINS: usize = 15;

/// The temperatures among which one is looked for.
const TEMPERATURES: (f64, f64) = (0.01, 100.0);

/// The samples whose largest probability lies in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// How many there are.
    pub samples: usize,
    /// The mean of their largest probabilities; 0 without samples.
    pub confidence: f64,
    /// The share of right answers; 0 without samples.
    pub accuracy: f64,
}

/// How far probabilities can be relied on.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The bins, from probability 0 to 1.
    pub bins: Vec<Bin>,
    /// The expected calibration error.
    pub ece: f64,
    /// What the outputs are to be divided by for the least loss on these samples. None if no division helps for good:
    /// where all answers are right, larger outputs are always better; where they are no better than chance, smaller ones.
    pub temperature: Option<f64>,
    /// The expected calibration error with temperatures. Those of each half of the samples are fitted on the other half
    /// (every second sample), since a temperature flatters the samples it was fitted on. None where one has none.
    pub ece_after: Option<f64>,
}

/// The logarithms of the probabilities of `row / temperature`.
#[must_use]
pub fn log_softmax(row: &[f32], temperature: f64) -> Vec<f64> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scaled: Vec<f64> = row.iter().map(|&x| (f64::from(x) - f64::from(largest)) / temperature).collect();
    let sum = libm::log(scaled.iter().map(|&x| libm::exp(x)).sum::<f64>());
    scaled.into_iter().map(|x| x - sum).collect()
}

/// The samples in `bins` intervals of equal width by their largest probability; a probability on a border belongs to the
/// lower interval, as in the paper. `answers` are (largest probability, whether the answer is right).
#[must_use]
pub fn reliability(answers: impl IntoIterator<Item = (f64, bool)>, bins: usize) -> Vec<Bin> {
    let mut found = vec![Bin::default(); bins];
    for (confidence, right) in answers {
        let place = ((confidence * bins as f64).ceil() as usize).clamp(1, bins.max(1)) - 1;
        let Some(bin) = found.get_mut(place) else { continue };
        bin.samples += 1;
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(right));
    }
    for bin in found.iter_mut().filter(|bin| bin.samples > 0) {
        bin.confidence /= bin.samples as f64;
        bin.accuracy /= bin.samples as f64;
    }
    found
}

/// The mean distance of accuracy and confidence, each bin counting by its samples (equation 5 of the paper); NaN without
/// samples.
#[must_use]
pub fn expected_calibration_error(bins: &[Bin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.samples).sum();
    let gap = |bin: &Bin| bin.samples as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(gap).sum::<f64>() / total as f64
}

/// The calibration of outputs `[N, classes]`.
#[must_use]
pub fn calibration(logits: &[f32], labels: &[u32], classes: usize) -> Calibration {
    let rows: Vec<(&[f32], u32)> = logits.chunks_exact(classes.max(1)).zip(labels.iter().copied()).collect();
    let bins = reliability(rows.iter().map(|&row| answer(row, 1.0)), BINS);
    let halves = [0, 1].map(|first| rows.iter().copied().skip(first).step_by(2).collect::<Vec<_>>());
    let fitted = [temperature(&halves[1]), temperature(&halves[0])];
    let ece_after = match fitted {
        [Some(first), Some(second)] => {
            let with =
                |rows: &[(&[f32], u32)], t: f64| rows.iter().map(|&row| answer(row, t)).collect::<Vec<_>>();
            let answers = [with(&halves[0], first), with(&halves[1], second)].concat();
            Some(expected_calibration_error(&reliability(answers, BINS)))
        }
        _ => None,
    };
    Calibration { ece: expected_calibration_error(&bins), bins, temperature: temperature(&rows), ece_after }
}

/// The largest probability of a sample's outputs, and whether it is that of its class: the first of equal ones.
fn answer((row, label): (&[f32], u32), temperature: f64) -> (f64, bool) {
    let logs = log_softmax(row, temperature);
    let (place, best) = (0..)
        .zip(logs)
        .fold((0_u32, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
    (libm::exp(best), place == label)
}

/// The temperature with the least mean negative log-likelihood. In its inverse the loss is convex, so that its slope has
/// one root at most: Newton's method, or a bisection where that leaves the interval in which the root must be.
fn temperature(rows: &[(&[f32], u32)]) -> Option<f64> {
    let (mut low, mut high) = (1.0 / TEMPERATURES.1, 1.0 / TEMPERATURES.0);
    let falls = slope(rows, low).0 < 0.0;
    let rises = slope(rows, high).0 > 0.0;
    if !(falls && rises) {
        return None;
    }
    let mut inverse = 1.0_f64;
    for _ in 0..200 {
        let (first, second) = slope(rows, inverse);
        if first > 0.0 {
            high = inverse;
        } else {
            low = inverse;
        }
        let newton = inverse - first / second;
        // Bisected on a logarithmic scale: the interval covers four powers of ten.
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        let done = (next - inverse).abs() <= 1e-12 * inverse;
        inverse = next;
        if done {
            break;
        }
    }
    Some(1.0 / inverse)
}

/// The first and second derivative of the mean negative log-likelihood by the inverse temperature: the mean of expected
/// output less the label's output, and the mean variance of the outputs.
fn slope(rows: &[(&[f32], u32)], inverse: f64) -> (f64, f64) {
    let of = |&(row, label): &(&[f32], u32)| {
        let own = f64::from(row.get(label as usize).copied().unwrap_or(f32::NAN));
        let logs = log_softmax(row, 1.0 / inverse);
        let moments = logs.iter().zip(row).fold((0.0, 0.0), |(first, second), (log, &x)| {
            let (p, x) = (libm::exp(*log), f64::from(x) - own);
            (first + p * x, second + p * x * x)
        });
        (moments.0, moments.1 - moments.0 * moments.0)
    };
    let both: Vec<(f64, f64)> = rows.iter().map(of).collect();
    (mean(both.iter().map(|row| row.0)), mean(both.iter().map(|row| row.1)))
}
