//! Figures of the order in which a network's outputs put the classes or the samples.

use super::calibration::log_softmax;
use super::confusion::mean;

/// Whether `label` is among the `k` largest outputs of a sample. Of equal outputs the first counts as the largest, so
/// that the top 1 is the answer that accuracy counts; a NaN is never among the largest.
#[must_use]
pub fn in_top(row: &[f32], label: u32, k: usize) -> bool {
    let label = label as usize;
    let Some(&own) = row.get(label).filter(|own| !own.is_nan()) else { return false };
    let before = |(place, &x): (usize, &f32)| x > own || (x == own && place < label);
    row.iter().enumerate().filter(|&pair| before(pair)).count() < k
}

/// The area under the ROC curve: the probability that a positive sample has a larger score than a negative one, equal
/// scores counting half. None if there are no positive or no negative samples, or a score is NaN.
///
/// ```
/// use wellfit_policy::classification::auc;
/// assert_eq!(auc([(0.1, false), (0.4, false), (0.35, true), (0.8, true)]), Some(0.75));
/// ```
#[must_use]
pub fn auc(scored: impl IntoIterator<Item = (f64, bool)>) -> Option<f64> {
    let mut scored: Vec<(f64, bool)> = scored.into_iter().collect();
    if scored.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    scored.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let positives = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = scored.len() as f64 - positives;
    let (mut below, mut won) = (0.0, 0.0);
    for equal in scored.chunk_by(|(a, _), (b, _)| a == b) {
        let hits = equal.iter().filter(|(_, positive)| *positive).count() as f64;
        let misses = equal.len() as f64 - hits;
        won += hits * (below + misses / 2.0);
        below += misses;
    }
    (positives > 0.0 && negatives > 0.0).then(|| won / (positives * negatives))
}

/// The area under the ROC curve of the outputs `[N, classes]`: of two classes that of the second one's probability; of
/// more the mean over each class against the others (scikit-learn's `multi_class="ovr", average="macro"`), where classes
/// without samples are left out. NaN where it is not defined.
///
/// Samples are ordered by logarithms of probabilities, so that outputs whose probabilities round to 1 are still apart.
#[must_use]
pub fn auc_one_vs_rest(logits: &[f32], labels: &[u32], classes: usize) -> f64 {
    let rows = || logits.chunks_exact(classes.max(1)).zip(labels);
    if classes == 2 {
        let score = |(row, &label): (&[f32], &u32)| (f64::from(row[1]) - f64::from(row[0]), label == 1);
        return auc(rows().map(score)).unwrap_or(f64::NAN);
    }
    let sums: Vec<f64> = logits.chunks_exact(classes.max(1)).map(log_sum_exp).collect();
    let of_class = |class: usize| {
        let score = |((row, &label), sum): ((&[f32], &u32), &f64)| {
            (f64::from(row[class]) - sum, label as usize == class)
        };
        auc(rows().zip(&sums).map(score))
    };
    mean((0..classes).filter_map(of_class))
}

/// The logarithm of the sum of the outputs' exponentials.
fn log_sum_exp(row: &[f32]) -> f64 {
    row.first().map_or(0.0, |&first| f64::from(first) - log_softmax(row, 1.0)[0])
}
